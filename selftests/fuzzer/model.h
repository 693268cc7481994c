/* SPDX-License-Identifier: GPL-2.0 */
/* model.c and predict.c share this. */
#ifndef SELFTESTS_FUZZER_MODEL_H
#define SELFTESTS_FUZZER_MODEL_H

#include "fuzz.h"

/*
 * Appends all outcomes of one operation to out. racing: another operation runs at the
 * same time. auto_normal is as for model_predict().
 */
void predict(const struct model *m, const struct op *given,
	     unsigned int auto_normal, bool racing, struct outcomes *out);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the fuzzer share this. A sequence is a list of steps. A step is one
 * operation, or two at once.
 *
 *	op.c		an operation as text, and back
 *	generate.c	a sequence from a seed
 *	model.c		what the kernel must do and show; predict.c: for one operation
 *	kernel.h	the kernel: what it does and shows
 *	run.c		runs a sequence, and compares the model with the kernel
 *	shrink.c	leaves out the steps that a failing sequence does not need
 *	fuzz.c		the command line
 *
 * Pages are numbered from the first page of the first block under test.
 */
#ifndef SELFTESTS_FUZZ_H
#define SELFTESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

/* ---------------------------------------------------------------- operations */

#define MAX_REQUESTS	64	/* page blocks of a memory block: see OP_GUARD */
#define PAGE_BLOCK	512

enum op_kind {
	OP_MARK,
	OP_GUARD,		/* mark a page in each page block that has none */
	OP_ANY,			/* "mark any N zone=Movable" */
	OP_UNMARK,
	OP_UNMARK_ALL,
	OP_SKIPPABLE,
	OP_OFFLINE,
	OP_ONLINE,
	OP_INJECT,
	OP_CLEAR,		/* "inject clear" */
	OP_SOFT,		/* soft-offline a page, and undo that */
	OP_HOLD,		/* take a number of pages into use */
	OP_DROP,		/* free all of these */
	OP_RELOAD,		/* unload and load the module */
	OP_BALLOON,		/* load a client that takes pages */
	OP_POP,			/* unload that client */
};

enum online_type {
	ONLINE,
	ONLINE_KERNEL,
	ONLINE_MOVABLE,
	NR_ONLINE_TYPES
};

enum inject_point {
	OFFLINE_BEFORE,
	OFFLINE_AFTER,
	OFFLINE_LATE,
	ONLINE_BEFORE,
	ONLINE_AFTER,
	MARK_STRAY,
	MARK_CORRUPT,
	NR_POINTS
};

struct request {
	unsigned int start;
	unsigned int nr;
	bool unskippable;
	bool canary;
};

struct op {
	enum op_kind kind;
	unsigned int nr_requests;
	struct request request[MAX_REQUESTS];
	unsigned int block;	/* offline, online, guard */
	enum online_type type;
	bool debugfs;		/* which of the two files of a block is written */
	enum inject_point point;
	int error;		/* to inject, positive */
	unsigned int number;	/* pages, injections, or skippable (0 or 1) */
};

struct step {
	unsigned int nr_ops;	/* 1, or 2 at once */
	struct op op[2];
};

extern const char *const online_types[NR_ONLINE_TYPES];
extern const char *const point_names[NR_POINTS];

#define STEP_TEXT	8192

/* Needs room for STEP_TEXT bytes. */
void step_print(const struct step *s, unsigned int block_pages, char *text);
/* A line that is not a step ends the program. */
void step_parse(struct step *s, unsigned int block_pages, const char *line);

/* ---------------------------------------------------------------- the model */

#define MAX_BLOCKS	8

/* The properties of a page. */
#define MARKED		1
#define SKIPPABLE	2
#define CANARY		4
#define FOREIGN		8	/* it is the other client's */
#define BROKEN		16	/* its canary is broken */

struct injection {
	int error;
	unsigned int count;
};

struct block {
	bool online;
	bool normal;		/* in ZONE_NORMAL, if it is online */
};

/* The machine does not change while the program runs. */
struct world {
	unsigned int nr_blocks;
	unsigned int block_pages;
	unsigned int nr_pages;
	uint64_t first_block;
	uint64_t first_pfn;
	bool soft;		/* pages can be soft-offlined, and unpoisoned */
	bool balloon;		/* there is another client */
	const char *skip;	/* parameter of the module */
};

struct model {
	struct block block[MAX_BLOCKS];
	struct injection inject[NR_POINTS];
	bool balloon;
	bool armed_at_most;	/* the kernel may have used up some of inject */
	unsigned int unplaced;	/* new marked pages; the kernel chose the places,
				 * which kernel_compare() takes from its list */
	unsigned char unplaced_owner;	/* FOREIGN or 0 */
	unsigned int outside;	/* pages marked outside of the blocks */
	unsigned char *page;
};

/* One possible outcome of a step. */
struct outcome {
	int result[2];
	struct model model;
};

#define MAX_OUTCOMES	64

struct outcomes {
	unsigned int nr;
	struct outcome o[MAX_OUTCOMES];
};

/* A mistake of the model, made on purpose. The fuzzer must find it (fuzz -p). */
enum plant {
	PLANT_NONE,
	PLANT_FORGET,	/* the model forgets the last page of an unskippable mark */
	PLANT_BEHIND,	/* the fuzzer releases a page of a block that has come online */
	PLANT_ERRNO,	/* the model expects that "skippable" fails in an offline block */
};

extern struct world world;
extern enum plant plant;

/* Results that are no errno. */
#define STILL_POISONED	-1
#define CONTENT_LOST	-2
#define SHORT_WRITE	-3
#define NOT_DONE	-4

void model_init(struct model *m);
void model_copy(struct model *to, const struct model *from);
void model_free(struct model *m);
/*
 * All outcomes that a step may have, the likeliest first. auto_normal has a bit for each
 * block that "online" would put into ZONE_NORMAL.
 */
void model_predict(const struct model *m, const struct step *s,
		   unsigned int auto_normal, struct outcomes *out);
void outcomes_free(struct outcomes *out);
/* Can the model predict these two at once? */
bool model_may_be_together(const struct op *a, const struct op *b);
/* Must this step be left out in this state? */
bool model_forbids(const struct model *m, const struct step *s,
		   const struct outcomes *out);
/* An OP_GUARD becomes the OP_MARK that it stands for. Others stay as they are. */
void model_resolve(const struct model *m, struct op *op);

/* ---------------------------------------------------------------- the kernel */

#define DETAIL 256

/* The kind of a difference. Shrinking keeps the kind. */
enum difference {
	SAME,
	RESULT,
	BLOCK_STATE,
	PAGE_FLAGS,
	MEM_TOTAL,
	LISTED,
	VERIFIED,
	ARMED,
	HELD,
	NR_DIFFERENCES
};

extern const char *const difference_names[NR_DIFFERENCES];

/* Learns the properties of the machine, and its first state. */
void kernel_init(void);
/* Brings the machine back to its first state. Returns false if that fails. */
bool kernel_reset(void);
/* The present state becomes the first state. */
void kernel_rebase(void);
/* The argument of model_predict(). */
unsigned int kernel_auto_normal(void);
/* Results are errnos, or the other results of the model. */
void kernel_run(const struct step *s, const struct model *before, int *result);
/* Reads the state of the machine, for kernel_compare(). */
void kernel_observe(void);
/* Compares that with the model. The model takes the places of unplaced pages from it. */
enum difference kernel_compare(struct model *m, char *detail);

/* ---------------------------------------------------------------- sequences */

/* Makes a sequence. It does not depend on the machine. */
void generate(uint64_t seed, struct step *steps, unsigned int nr);

/* The operations so far, for the reader. */
struct counts {
	unsigned long steps, left_out, operations, ok, busy, refused;
};

extern struct counts counts;

struct failure {
	unsigned int step;	/* the number of steps if it is seen at the end */
	enum difference kind;
	char detail[DETAIL];
};

/* Runs a sequence on a machine in its first state. Returns false if it failed. */
bool run_steps(const struct step *steps, unsigned int nr, bool quiet,
	       struct failure *f);

/*
 * Shrinks a sequence that fails, in place. Returns the new number of steps. f is the
 * failure, before and after.
 */
unsigned int shrink(struct step *steps, unsigned int nr, struct failure *f);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shrinkers, written to the newest interface. compat.h has what the module itself needs;
 * only tests need this.
 *
 * "mm: shrinker: add infrastructure for dynamically allocating shrinker" (6.7) made
 * struct shrinker an object that the kernel allocates, and added the flag that is tested
 * here. Before, the caller had the object and registered it with a name.
 */
#ifndef SELFTESTS_SHRINKER_H
#define SELFTESTS_SHRINKER_H

#include <linux/shrinker.h>

#ifndef SHRINKER_ALLOCATED
#include <linux/build_bug.h>
#include <linux/slab.h>

static_assert(__builtin_types_compatible_p(typeof(register_shrinker),
					   int(struct shrinker *, const char *,
					       ...)),
	      "unknown signature of register_shrinker()");

static inline struct shrinker *shrinker_alloc(unsigned int flags,
					      const char *name)
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);

	if (shrinker) {
		shrinker->flags = flags;
		shrinker->seeks = DEFAULT_SEEKS;
	}
	return shrinker;
}

static inline int compat_shrinker_register(struct shrinker *shrinker,
					   const char *name)
{
	return register_shrinker(shrinker, "%s", name);
}

static inline void shrinker_free(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(shrinker);
}
#else
static inline int compat_shrinker_register(struct shrinker *shrinker,
					   const char *name)
{
	shrinker_register(shrinker);
	return 0;
}
#endif

#endif /* SELFTESTS_SHRINKER_H */

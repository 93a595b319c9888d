#ifndef HEAP_H
#define HEAP_H

#include <stddef.h>

/* Sorts in place, by a heap. */
void heap_sort(int *numbers, size_t count);

#endif

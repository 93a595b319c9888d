#include <stdio.h>
#include <stdlib.h>

#include "heap.h"

#define MOST 64

int main(int argc, char **argv) {
    int numbers[MOST];
    size_t count = 0;
    for (int at = 1; at < argc && count < MOST; at++) numbers[count++] = atoi(argv[at]);
    heap_sort(numbers, count);
    for (size_t at = 0; at < count; at++) printf("%d\n", numbers[at]);
    return 0;
}

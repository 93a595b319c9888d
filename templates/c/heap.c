#include "heap.h"

static void sink(int *heap, size_t at, size_t count) {
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child + 1] > heap[child]) child++;
        if (heap[at] >= heap[child]) return;
        int moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
    }
}

void heap_sort(int *numbers, size_t count) {
    for (size_t at = count / 2; at-- > 0;) sink(numbers, at, count);
    for (size_t last = count; last-- > 1;) {
        int largest = numbers[0];
        numbers[0] = numbers[last];
        numbers[last] = largest;
        sink(numbers, 0, last);
    }
}

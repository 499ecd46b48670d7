/* Gradients in bf16 that several found for the same weight, added up in float32. */
#include "numbers.h"
#include "tiles.h"

/* A matrix whose rows' numbers lie side by side (`column` is 1), or its columns' (`row` is 1). */
typedef struct {
    const bf16 *first;
    int64_t row, column;
} Matrix;

/* Adds a block of 16 rows and columns, of which so many are there. */
static inline void add_block(const Matrix *of, int64_t row, int64_t column, int64_t rows, int64_t columns,
                             __m512 sums[16]) {
    const bf16 *first = of->first + row * of->row + column * of->column;
    if (of->column == 1) {
        for (int i = 0; i < 16; i++)
            if (i < rows)
                sums[i] = _mm512_add_ps(sums[i], numbers_at(first + i * of->row, first_of(columns)));
        return;
    }
    __m512i turned[16];
    for (int i = 0; i < 16; i++)
        turned[i] = _mm512_castps_si512(i < columns ? numbers_at(first + i * of->column, first_of(rows))
                                                    : _mm512_setzero_ps());
    turn(turned);
    for (int i = 0; i < 16; i++) sums[i] = _mm512_add_ps(sums[i], _mm512_castsi512_ps(turned[i]));
}

/* A block of `sums`, [rows, columns], of which 16 rows and columns at most are left. */
static inline void sum_block(const Matrix *found, int count, int64_t row, int64_t column, int64_t rows,
                             int64_t columns, float times, int more, float *sums) {
    __m512 block[16];
    __mmask16 there = first_of(columns - column);
    for (int i = 0; i < 16; i++) block[i] = _mm512_setzero_ps();
    for (int number = 0; number < count; number++)
        add_block(&found[number], row, column, rows - row, columns - column, block);
    for (int i = 0; i < 16 && row + i < rows; i++) {
        float *place = sums + (row + i) * columns + column;
        __m512 sum = _mm512_mul_ps(block[i], _mm512_set1_ps(times));
        if (more) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(there, place));
        if (there == 0xffff && (uintptr_t)place % 64 == 0)
            _mm512_stream_ps(place, sum); /* nobody reads it before all others are there */
        else
            _mm512_mask_storeu_ps(place, there, sum);
    }
}

enum { COLUMNS_AT_ONCE = 64 };

/* `sums` becomes the sum of so many matrices times a factor; with `more`, that is added to it. */
void add_up(const Matrix *found, int count, int64_t rows, int64_t columns, float times, int more, float *sums,
            int threads) {
    int64_t at_once =
        columns; /* where rows are read as they lie; else few, so that few of them are written at a time */
    for (int number = 0; number < count; number++)
        if (found[number].column != 1) at_once = COLUMNS_AT_ONCE;
#pragma omp parallel num_threads(threads)
    {
#pragma omp for collapse(2) nowait
        for (int64_t first = 0; first < columns; first += at_once)
            for (int64_t row = 0; row < rows; row += 16)
                for (int64_t column = first; column < first + at_once && column < columns; column += 16)
                    sum_block(found, count, row, column, rows, columns, times, more, sums);
        _mm_sfence();
    }
}

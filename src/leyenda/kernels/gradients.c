/* Gradients in bf16 that several found for the same weight, added up in float32. */
#include "numbers.h"
#include "tiles.h"

#include <stdlib.h>

/* A matrix whose rows' numbers lie side by side (`column` is 1), or its columns' (`row` is 1). */
typedef struct {
    const bf16 *first;
    int64_t row, column;
} Matrix;

enum { BAND = 32 }; /* rows */

/* A band of a matrix whose columns lie side by side, to rows that are `stride` numbers apart. */
static void turn_band(const Matrix *of, int64_t row, int64_t rows, int64_t columns, bf16 *band,
                      int64_t stride) {
    for (int64_t column = 0; column < columns; column += 32) {
        __m512i evens[16], odds[16];
        turn_block(of->first + column * of->column + row, columns - column, rows - row, of->column, evens,
                   odds);
        for (int i = 0; i < 16; i++) {
            _mm512_store_si512(band + 2 * i * stride + column, evens[i]);
            _mm512_store_si512(band + (2 * i + 1) * stride + column, odds[i]);
        }
    }
}

/* So many matrices, 8 at most, whose sum times a factor goes to `sums`, or is added to what is there. */
typedef struct {
    const Matrix *found;
    int64_t count, rows, columns;
    float times;
    int more;
    float *sums;
} Sum;

enum { MOST = 8 };

/* A row of the sum; returns its squares. */
static __m512 sum_row(const Sum *of, const bf16 *const parts[MOST], float *sums) {
    __m512 squares = _mm512_setzero_ps();
    for (int64_t column = 0; column < of->columns; column += 16) {
        __mmask16 there = first_of(of->columns - column);
        __m512 sum = numbers_at(parts[0] + column, there);
        for (int64_t number = 1; number < of->count; number++)
            sum = _mm512_add_ps(sum, numbers_at(parts[number] + column, there));
        sum = _mm512_mul_ps(sum, _mm512_set1_ps(of->times));
        if (of->more) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(there, sums + column));
        squares = _mm512_fmadd_ps(sum, sum, squares);
        _mm512_mask_storeu_ps(sums + column, there, sum);
    }
    return squares;
}

/* A band of the sum, with room to turn one of each matrix; returns the sum of its squares. */
static double sum_band(const Sum *of, int64_t first, bf16 *room) {
    const int64_t rows = of->rows - first < BAND ? of->rows - first : BAND,
                  stride = rounded_up(of->columns, 32);
    const bf16 *parts[MOST];
    int64_t next[MOST];
    __m512 squares = _mm512_setzero_ps();
    for (int64_t number = 0; number < of->count; number++) {
        const Matrix *part = &of->found[number];
        int lies_turned = part->column != 1;
        parts[number] = lies_turned ? room + number * BAND * stride : part->first + first * part->row;
        next[number] = lies_turned ? stride : part->row;
        if (lies_turned) turn_band(part, first, of->rows, of->columns, room + number * BAND * stride, stride);
    }
    for (int64_t row = 0; row < rows; row++) {
        squares = _mm512_add_ps(squares, sum_row(of, parts, of->sums + (first + row) * of->columns));
        for (int64_t number = 0; number < of->count; number++) parts[number] += next[number];
    }
    return (double)_mm512_reduce_add_ps(squares);
}

/* `squares` becomes the sum of the squares of all sums, added band by band whatever the number of threads.
 * Returns 0, or 1 where there is no memory. */
int add_up(const Sum *of, double *squares, int threads) {
    const int64_t bands = (of->rows + BAND - 1) / BAND, room = of->count * BAND * rounded_up(of->columns, 32);
    double *of_bands = malloc((size_t)bands * sizeof(double));
    int failed = of_bands == NULL;
    if (failed) return 1;
#pragma omp parallel num_threads(threads) reduction(| : failed)
    {
        bf16 *turned = aligned_alloc(64, (size_t)room * sizeof(bf16));
        failed = turned == NULL;
#pragma omp for
        for (int64_t band = 0; band < bands; band++)
            if (turned) of_bands[band] = sum_band(of, band * BAND, turned);
        free(turned);
    }
    *squares = 0;
    for (int64_t band = 0; band < bands && !failed; band++) *squares += of_bands[band];
    free(of_bands);
    return failed;
}

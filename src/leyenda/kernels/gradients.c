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

static inline __mmask32 thirty_two_of(int64_t count) {
    return count >= 32 ? ~0u : count <= 0 ? 0 : (1u << count) - 1;
}

/* A band of a matrix whose columns lie side by side, to rows that are `stride` numbers apart. */
static void turn_band(const Matrix *of, int64_t row, int64_t rows, int64_t columns, bf16 *band,
                      int64_t stride) {
    const __mmask32 there = thirty_two_of(rows - row);
    for (int64_t column = 0; column < columns; column += 32) {
        __m512i upper[16], lower[16];
        for (int i = 0; i < 32; i++) {
            const bf16 *place = of->first + (column + i) * of->column + row;
            __m512i some =
                column + i < columns ? _mm512_maskz_loadu_epi16(there, place) : _mm512_setzero_si512();
            if (column + i < columns) _mm_prefetch((const char *)(place + BAND), _MM_HINT_T1);
            if (i < 16)
                upper[i] = some;
            else
                lower[i - 16] = some;
        }
        turn_both(upper, lower);
        for (int i = 0; i < 16; i++) {
            _mm512_store_si512(band + 2 * i * stride + column, upper[i]);
            _mm512_store_si512(band + (2 * i + 1) * stride + column, lower[i]);
        }
    }
}

/* A row of `sums`; returns the sums of its squares. */
static __m512 sum_row(const bf16 *const rows[], int count, int64_t columns, float times, int more,
                      float *sums) {
    __m512 squares = _mm512_setzero_ps();
    for (int64_t column = 0; column < columns; column += 16) {
        __mmask16 there = first_of(columns - column);
        __m512 sum = numbers_at(rows[0] + column, there);
        for (int number = 1; number < count; number++)
            sum = _mm512_add_ps(sum, numbers_at(rows[number] + column, there));
        sum = _mm512_mul_ps(sum, _mm512_set1_ps(times));
        if (more) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(there, sums + column));
        squares = _mm512_fmadd_ps(sum, sum, squares);
        _mm512_mask_storeu_ps(sums + column, there, sum);
    }
    return squares;
}

enum { MOST = 8 };

/* `sums` becomes the sum of so many matrices, 8 at most, times a factor; with `more`, that is added to it.
 * `squares` becomes the sum of its numbers' squares. Returns 0, or 1 where there is no memory. */
int add_up(const Matrix *found, int count, int64_t rows, int64_t columns, float times, int more, float *sums,
           double *squares, int threads) {
    const int64_t bands = (rows + BAND - 1) / BAND, stride = rounded_up(columns, 32);
    double *of_bands = malloc((size_t)bands * sizeof(double));
    int failed = of_bands == NULL;
    if (failed) return 1;
#pragma omp parallel num_threads(threads) reduction(| : failed)
    {
        bf16 *turned = aligned_alloc(64, (size_t)(count * BAND * stride) * sizeof(bf16));
        failed = turned == NULL;
#pragma omp for
        for (int64_t band = 0; band < bands; band++) {
            int64_t first = band * BAND, left = rows - first < BAND ? rows - first : BAND;
            __m512 sum = _mm512_setzero_ps();
            if (!turned) continue;
            for (int number = 0; number < count; number++)
                if (found[number].column != 1)
                    turn_band(&found[number], first, rows, columns, turned + number * BAND * stride, stride);
            for (int64_t row = 0; row < left; row++) {
                const bf16 *those[MOST];
                for (int number = 0; number < count; number++)
                    those[number] = found[number].column == 1
                                        ? found[number].first + (first + row) * found[number].row
                                        : turned + (number * BAND + row) * stride;
                sum = _mm512_add_ps(
                    sum, sum_row(those, count, columns, times, more, sums + (first + row) * columns));
            }
            of_bands[band] = (double)_mm512_reduce_add_ps(sum);
        }
        free(turned);
    }
    *squares = 0;
    for (int64_t band = 0; band < bands && !failed; band++) *squares += of_bands[band];
    free(of_bands);
    return failed;
}

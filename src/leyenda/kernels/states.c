/* What lies between a layer's products, in few passes over bf16 states: activations, dropout, norms,
 * transposed copies. */
#include "activations.h"
#include "chance.h"
#include "numbers.h"
#include "tiles.h"

#include <math.h>
#include <stdlib.h>

/* Of each state; times its gradient where gradients are given. */
#define EACH(name, function)                                                                                 \
    void name(const bf16 *states, const bf16 *gradients, int64_t count, bf16 *results, int threads) {        \
        _Pragma("omp parallel for num_threads(threads)") for (int64_t place = 0; place < count;              \
                                                              place += 16) {                                 \
            __mmask16 there = first_of(count - place);                                                       \
            __m512 some = function(numbers_at(states + place, there));                                       \
            if (gradients) some = _mm512_mul_ps(some, numbers_at(gradients + place, there));                 \
            _mm256_mask_storeu_epi16(results + place, there, (__m256i)_mm512_cvtneps_pbh(some));             \
        }                                                                                                    \
    }

EACH(swish_of, swish)
EACH(swish_gradient, slope_of_swish)
EACH(gelu_of, gelu)
EACH(gelu_gradient, slope_of_gelu)

/* See chance.h. */
typedef struct {
    int64_t seed, faces;
    float times;
} Dropout;

static Chance chance_in(const Dropout *dropout) {
    return dropout ? chance_of((uint64_t)dropout->seed, (int)dropout->faces) : (Chance){0};
}

/* What dropout, or NULL, leaves of the states at a place, a multiple of 16. */
static inline __m512 left_of(__m512 states, const Dropout *dropout, const Chance *chance, int64_t place) {
    if (!dropout) return states;
    return _mm512_maskz_mul_ps(stays(chance, place / 16), states, _mm512_set1_ps(dropout->times));
}

/* States times a factor, and zeros where dropout takes them away. */
void drop(const bf16 *states, int64_t count, const Dropout *dropout, bf16 *results, int threads) {
    const Chance chance = chance_in(dropout);
#pragma omp parallel for num_threads(threads)
    for (int64_t place = 0; place < count; place += 16) {
        __mmask16 there = first_of(count - place);
        __m512 some = left_of(numbers_at(states + place, there), dropout, &chance, place);
        _mm256_mask_storeu_epi16(results + place, there, (__m256i)_mm512_cvtneps_pbh(some));
    }
}

/* A row less its mean, over its deviation, times weights and with a bias added; its mean and what it was
 * multiplied by are its moments. */
static void norm_row(const bf16 *states, int64_t width, const float *weights, const float *bias, float least,
                     bf16 *results, float *moments) {
    __m512 sum = _mm512_setzero_ps(), squares = sum;
    for (int64_t place = 0; place < width; place += 16)
        sum = _mm512_add_ps(sum, numbers_at(states + place, 0xffff));
    __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / (float)width);
    for (int64_t place = 0; place < width; place += 16) {
        __m512 beside = _mm512_sub_ps(numbers_at(states + place, 0xffff), mean);
        squares = _mm512_fmadd_ps(beside, beside, squares);
    }
    float times = 1 / sqrtf(_mm512_reduce_add_ps(squares) / (float)width + least);
    for (int64_t place = 0; place < width; place += 16) {
        __m512 beside = _mm512_sub_ps(numbers_at(states + place, 0xffff), mean);
        __m512 result = _mm512_fmadd_ps(_mm512_mul_ps(beside, _mm512_set1_ps(times)),
                                        _mm512_loadu_ps(weights + place), _mm512_loadu_ps(bias + place));
        _mm256_storeu_si256((void *)(results + place), (__m256i)_mm512_cvtneps_pbh(result));
    }
    moments[0] = _mm512_cvtss_f32(mean);
    moments[1] = times;
}

/* Of rows whose width is a multiple of 16. With `added`, of which dropout leaves some, they are added to the
 * states first, into `sums`. */
void norm(const bf16 *states, const bf16 *added, const Dropout *dropout, int64_t rows, int64_t width,
          const float *weights, const float *bias, float least, bf16 *sums, bf16 *results, float *moments,
          int threads) {
    const Chance chance = chance_in(dropout);
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < rows; row++) {
        const int64_t first = row * width;
        for (int64_t place = first; added && place < first + width; place += 16) {
            __m512 sum = _mm512_add_ps(numbers_at(states + place, 0xffff),
                                       left_of(numbers_at(added + place, 0xffff), dropout, &chance, place));
            _mm256_storeu_si256((void *)(sums + place), (__m256i)_mm512_cvtneps_pbh(sum));
        }
        norm_row((added ? sums : states) + first, width, weights, bias, least, results + first,
                 moments + 2 * row);
    }
}

/* Gradients of a norm's results, and of its states beside it, or NULL, in; of its states out, and what
 * dropout leaves of these, or NULL. */
typedef struct {
    const bf16 *upstream, *beside;
    bf16 *gradients, *left;
} NormGradients;

/* Of a row that begins at `first`. Its share in the gradients of weights and bias is added to `sums`, one
 * behind the other. */
static void norm_gradient_of_row(const NormGradients *of, int64_t first, const bf16 *states, int64_t width,
                                 const float *weights, const float *moments, const Dropout *dropout,
                                 const Chance *chance, float *sums) {
    const __m512 mean = _mm512_set1_ps(moments[0]), times = _mm512_set1_ps(moments[1]);
    const bf16 *upstream = of->upstream + first;
    __m512 along = _mm512_setzero_ps(), across = along;
    for (int64_t place = 0; place < width; place += 16) {
        __m512 of_result = numbers_at(upstream + place, 0xffff);
        __m512 normed = _mm512_mul_ps(_mm512_sub_ps(numbers_at(states + place, 0xffff), mean), times);
        __m512 weighted = _mm512_mul_ps(of_result, _mm512_loadu_ps(weights + place));
        along = _mm512_add_ps(along, weighted);
        across = _mm512_fmadd_ps(weighted, normed, across);
        _mm512_storeu_ps(sums + place, _mm512_fmadd_ps(of_result, normed, _mm512_loadu_ps(sums + place)));
        _mm512_storeu_ps(sums + width + place,
                         _mm512_add_ps(of_result, _mm512_loadu_ps(sums + width + place)));
    }
    along = _mm512_set1_ps(_mm512_reduce_add_ps(along) / (float)width);
    across = _mm512_set1_ps(_mm512_reduce_add_ps(across) / (float)width);
    for (int64_t place = 0; place < width; place += 16) {
        __m512 of_result = numbers_at(upstream + place, 0xffff);
        __m512 normed = _mm512_mul_ps(_mm512_sub_ps(numbers_at(states + place, 0xffff), mean), times);
        __m512 weighted = _mm512_fmsub_ps(of_result, _mm512_loadu_ps(weights + place), along);
        __m512 gradient = _mm512_mul_ps(_mm512_fnmadd_ps(normed, across, weighted), times);
        if (of->beside) gradient = _mm512_add_ps(gradient, numbers_at(of->beside + first + place, 0xffff));
        _mm256_storeu_si256((void *)(of->gradients + first + place), (__m256i)_mm512_cvtneps_pbh(gradient));
        if (!of->left) continue;
        gradient = left_of(gradient, dropout, chance, first + place);
        _mm256_storeu_si256((void *)(of->left + first + place), (__m256i)_mm512_cvtneps_pbh(gradient));
    }
}

enum { ROWS_A_SUM = 64 };

/* From the states, or sums, that were normed: gradients of these, and of weights and bias, [2, width]. Sums
 * are over so many rows first, whatever the number of threads. Returns 0, or 1 where there is no memory. */
int norm_gradient(const NormGradients *of, const bf16 *states, const Dropout *dropout, int64_t rows,
                  int64_t width, const float *weights, const float *moments, float *of_weights, int threads) {
    const Chance chance = chance_in(dropout);
    int64_t count = (rows + ROWS_A_SUM - 1) / ROWS_A_SUM;
    float *sums = calloc((size_t)(count * 2 * width), sizeof(float));
    if (!sums) return 1;
#pragma omp parallel for num_threads(threads)
    for (int64_t part = 0; part < count; part++)
        for (int64_t row = part * ROWS_A_SUM; row < rows && row < (part + 1) * ROWS_A_SUM; row++)
            norm_gradient_of_row(of, row * width, states + row * width, width, weights, moments + 2 * row,
                                 dropout, &chance, sums + part * 2 * width);
    memset(of_weights, 0, (size_t)(2 * width) * sizeof(float));
    for (int64_t part = 0; part < count; part++)
        for (int64_t place = 0; place < 2 * width; place++)
            of_weights[place] += sums[part * 2 * width + place];
    free(sums);
    return 0;
}

/* Rows `stride` numbers apart to columns of `[columns, rows]`, whose rows are `next` numbers apart. */
void transposed(const bf16 *states, int64_t rows, int64_t columns, int64_t stride, bf16 *turned, int64_t next,
                int threads) {
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < rows; row += 32)
        for (int64_t column = 0; column < columns; column += 32) {
            const __mmask32 there = first_of_32(rows - row);
            __m512i evens[16], odds[16];
            turn_block(states + row * stride + column, rows - row, columns - column, stride, evens, odds);
            for (int i = 0; i < 16 && column + 2 * i < columns; i++) {
                bf16 *place = turned + (column + 2 * i) * next + row;
                _mm512_mask_storeu_epi16(place, there, evens[i]);
                if (column + 2 * i + 1 < columns) _mm512_mask_storeu_epi16(place + next, there, odds[i]);
            }
        }
}

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

/* States times a factor, and zeros where dropout takes them away. */
void drop(const bf16 *states, int64_t count, int64_t seed, int64_t faces, float times, bf16 *results,
          int threads) {
    const Chance chance = chance_of((uint64_t)seed, (int)faces);
#pragma omp parallel for num_threads(threads)
    for (int64_t block = 0; block < (count + 15) / 16; block++) {
        __mmask16 there = first_of(count - block * 16);
        __m512 some = numbers_at(states + block * 16, there);
        some = _mm512_maskz_mul_ps(stays(&chance, block), some, _mm512_set1_ps(times));
        _mm256_mask_storeu_epi16(results + block * 16, there, (__m256i)_mm512_cvtneps_pbh(some));
    }
}

/* Rows less their mean, over their deviation, times weights and with a bias added. For `norm_gradient` each
 * row's mean and what it was multiplied by, one behind the other. The width is a multiple of 16. */
void norm(const bf16 *states, int64_t rows, int64_t width, const float *weights, const float *bias,
          float least, bf16 *results, float *moments, int threads) {
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < rows; row++) {
        const bf16 *some = states + row * width;
        __m512 sum = _mm512_setzero_ps(), squares = sum;
        for (int64_t place = 0; place < width; place += 16)
            sum = _mm512_add_ps(sum, numbers_at(some + place, 0xffff));
        __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / (float)width);
        for (int64_t place = 0; place < width; place += 16) {
            __m512 beside = _mm512_sub_ps(numbers_at(some + place, 0xffff), mean);
            squares = _mm512_fmadd_ps(beside, beside, squares);
        }
        float times = 1 / sqrtf(_mm512_reduce_add_ps(squares) / (float)width + least);
        for (int64_t place = 0; place < width; place += 16) {
            __m512 beside = _mm512_sub_ps(numbers_at(some + place, 0xffff), mean);
            __m512 result = _mm512_fmadd_ps(_mm512_mul_ps(beside, _mm512_set1_ps(times)),
                                            _mm512_loadu_ps(weights + place), _mm512_loadu_ps(bias + place));
            _mm256_storeu_si256((void *)(results + row * width + place), (__m256i)_mm512_cvtneps_pbh(result));
        }
        moments[2 * row] = _mm512_cvtss_f32(mean);
        moments[2 * row + 1] = times;
    }
}

/* A row's share in the gradients of weights and bias is added to `sums`, one behind the other. */
static void norm_gradient_of_row(const bf16 *states, const bf16 *upstream, int64_t width,
                                 const float *weights, const float *moments, bf16 *gradients, float *sums) {
    const __m512 mean = _mm512_set1_ps(moments[0]), times = _mm512_set1_ps(moments[1]);
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
        _mm256_storeu_si256((void *)(gradients + place), (__m256i)_mm512_cvtneps_pbh(gradient));
    }
}

enum { ROWS_A_SUM = 64 };

/* Gradients of a norm's states, and of its weights and bias, [2, width]. Sums are over so many rows first,
 * whatever the number of threads. Returns 0, or 1 where there is no memory. */
int norm_gradient(const bf16 *states, const bf16 *upstream, int64_t rows, int64_t width, const float *weights,
                  const float *moments, bf16 *gradients, float *of_weights, int threads) {
    int64_t count = (rows + ROWS_A_SUM - 1) / ROWS_A_SUM;
    float *sums = calloc((size_t)(count * 2 * width), sizeof(float));
    if (!sums) return 1;
#pragma omp parallel for num_threads(threads)
    for (int64_t part = 0; part < count; part++)
        for (int64_t row = part * ROWS_A_SUM; row < rows && row < (part + 1) * ROWS_A_SUM; row++)
            norm_gradient_of_row(states + row * width, upstream + row * width, width, weights,
                                 moments + 2 * row, gradients + row * width, sums + part * 2 * width);
    memset(of_weights, 0, (size_t)(2 * width) * sizeof(float));
    for (int64_t part = 0; part < count; part++)
        for (int64_t place = 0; place < 2 * width; place++)
            of_weights[place] += sums[part * 2 * width + place];
    free(sums);
    return 0;
}

static inline __m512i some_of_row(const bf16 *states, int64_t row, int64_t rows, int64_t stride,
                                  __mmask32 some) {
    return row < rows ? _mm512_maskz_loadu_epi16(some, states + row * stride) : _mm512_setzero_si512();
}

/* Rows `stride` numbers apart to columns of `[columns, rows]`, whose rows are `next` numbers apart. */
void transposed(const bf16 *states, int64_t rows, int64_t columns, int64_t stride, bf16 *turned, int64_t next,
                int threads) {
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < rows; row += 32)
        for (int64_t column = 0; column < columns; column += 32) {
            __m512i upper[16], lower[16];
            __mmask32 width = columns - column < 32 ? (1u << (columns - column)) - 1 : ~0u;
            __mmask32 there = rows - row < 32 ? (1u << (rows - row)) - 1 : ~0u;
            for (int i = 0; i < 16; i++) {
                upper[i] = some_of_row(states + column, row + i, rows, stride, width);
                lower[i] = some_of_row(states + column, row + 16 + i, rows, stride, width);
            }
            turn_both(upper, lower);
            for (int i = 0; i < 16 && column + 2 * i < columns; i++) {
                bf16 *place = turned + (column + 2 * i) * next + row;
                _mm512_mask_storeu_epi16(place, there, upper[i]);
                if (column + 2 * i + 1 < columns) _mm512_mask_storeu_epi16(place + next, there, lower[i]);
            }
        }
}

/* Products of a single row of states: each weight is read once, so the memory is the limit. */
#include "activations.h"
#include "numbers.h"

enum { AT_ONCE = 4 };

/* So many rows of weights times the states, whose width is a multiple of 32. */
static inline __attribute__((always_inline)) void add_products(const bf16 *weights, const bf16 *states,
                                                               int64_t width, const int rows, float *sums) {
    __m512 parts[AT_ONCE];
    for (int row = 0; row < rows; row++) parts[row] = _mm512_setzero_ps();
    for (int64_t place = 0; place < width; place += 32) {
        __m512bh some = (__m512bh)_mm512_loadu_si512(states + place);
        for (int row = 0; row < rows; row++)
            parts[row] = _mm512_dpbf16_ps(parts[row],
                                          (__m512bh)_mm512_loadu_si512(weights + row * width + place), some);
    }
    for (int row = 0; row < rows; row++) sums[row] = _mm512_reduce_add_ps(parts[row]);
}

/* What follows the product; row.py names them in this order. */
enum { NOTHING, GELU, SWISH };

/* `results`, [rows], of weights [rows, width] and states [width], with a bias, or NULL, and an activation. */
void multiply_row(const bf16 *weights, const bf16 *states, int64_t rows, int64_t width, const bf16 *bias,
                  int activation, bf16 *results, int threads) {
#pragma omp parallel for num_threads(threads)
    for (int64_t first = 0; first < rows; first += 16) {
        int64_t left = rows - first < 16 ? rows - first : 16, row = 0;
        __mmask16 there = first_of(left);
        float sums[16] = {0};
        for (; row + AT_ONCE <= left; row += AT_ONCE)
            add_products(weights + (first + row) * width, states, width, AT_ONCE, sums + row);
        for (; row < left; row++) add_products(weights + (first + row) * width, states, width, 1, sums + row);
        __m512 result = _mm512_loadu_ps(sums);
        if (bias) result = _mm512_add_ps(result, numbers_at(bias + first, there));
        if (activation == GELU) result = gelu(result);
        if (activation == SWISH) result = swish(result);
        _mm256_mask_storeu_epi16(results + first, there, (__m256i)_mm512_cvtneps_pbh(result));
    }
}

/* So many rows of 8-bit weights times states from which 128 is taken, whose width is a multiple of 64. */
static inline __attribute__((always_inline)) void add_whole_products(const int8_t *weights,
                                                                     const uint8_t *states, int64_t width,
                                                                     const int rows, int32_t *sums) {
    const __m512i zero = _mm512_set1_epi8((char)128);
    __m512i parts[AT_ONCE], of_zero[AT_ONCE];
    for (int row = 0; row < rows; row++) parts[row] = of_zero[row] = _mm512_setzero_si512();
    for (int64_t place = 0; place < width; place += 64) {
        __m512i some = _mm512_loadu_si512(states + place);
        for (int row = 0; row < rows; row++) {
            __m512i weight = _mm512_loadu_si512(weights + row * width + place);
            parts[row] = _mm512_dpbusd_epi32(parts[row], some, weight);
            of_zero[row] = _mm512_dpbusd_epi32(of_zero[row], zero, weight);
        }
    }
    for (int row = 0; row < rows; row++)
        sums[row] = _mm512_reduce_add_epi32(_mm512_sub_epi32(parts[row], of_zero[row]));
}

/* `results`, [rows], of weights [rows, width] with a scale each, and states [width] of which 128 stands for
 * zero. */
void multiply_whole_row(const int8_t *weights, const float *scales, const uint8_t *states, int64_t rows,
                        int64_t width, float *results, int threads) {
#pragma omp parallel for num_threads(threads)
    for (int64_t first = 0; first < rows; first += AT_ONCE) {
        int32_t sums[AT_ONCE];
        int64_t left = rows - first < AT_ONCE ? rows - first : AT_ONCE;
        if (left == AT_ONCE)
            add_whole_products(weights + first * width, states, width, AT_ONCE, sums);
        else
            for (int64_t row = 0; row < left; row++)
                add_whole_products(weights + (first + row) * width, states, width, 1, sums + row);
        for (int64_t row = 0; row < left; row++)
            results[first + row] = (float)sums[row] * scales[first + row];
    }
}

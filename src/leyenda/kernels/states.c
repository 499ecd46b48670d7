/* What lies between a layer's products, in one pass over bf16 states each: activations and transposed copies. */
#include "powers.h"
#include "tiles.h"

static inline __m512 numbers_of(__m256i states) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(states), 16));
}

/* 1 / (1 + exp(-x)), 6e-5 of it off at most, which is far below what rounding takes; 0 and 1 where it is that. */
static inline __m512 sigmoid(__m512 x) {
    __m512 power = power_of_two(_mm512_mul_ps(x, _mm512_set1_ps(-1.44269504f)));
    return _mm512_rcp14_ps(_mm512_add_ps(_mm512_set1_ps(1), power));
}

static inline __m512 swish(__m512 x) { return _mm512_mul_ps(x, sigmoid(x)); }

static inline __m512 slope_of_swish(__m512 x) {
    __m512 share = sigmoid(x), rest = _mm512_sub_ps(_mm512_set1_ps(1), share);
    return _mm512_fmadd_ps(_mm512_mul_ps(x, share), rest, share);
}

/* The normal distribution's share below x, and its density; Abramowitz and Stegun 1964, 7.1.26: 1.5e-7 off at most. */
static inline __m512 share_below(__m512 x, __m512 *density) {
    const __m512 one = _mm512_set1_ps(1);
    __m512 size = _mm512_abs_ps(x);
    __m512 power = power_of_two(_mm512_mul_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(-0.72134752f)));
    __m512 below = _mm512_fmadd_ps(size, _mm512_set1_ps(0.3275911f * 0.70710678f), one), about = _mm512_rcp14_ps(below);
    __m512 t = _mm512_mul_ps(about, _mm512_fnmadd_ps(below, about, _mm512_set1_ps(2)));
    __m512 sum = _mm512_set1_ps(1.061405429f);
    sum = _mm512_fmadd_ps(sum, t, _mm512_set1_ps(-1.453152027f));
    sum = _mm512_fmadd_ps(sum, t, _mm512_set1_ps(1.421413741f));
    sum = _mm512_fmadd_ps(sum, t, _mm512_set1_ps(-0.284496736f));
    sum = _mm512_fmadd_ps(sum, t, _mm512_set1_ps(0.254829592f));
    __m512 beyond = _mm512_mul_ps(_mm512_mul_ps(_mm512_mul_ps(sum, t), power), _mm512_set1_ps(0.5f));
    *density = _mm512_mul_ps(power, _mm512_set1_ps(0.39894228f));
    __mmask16 positive = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
    return _mm512_mask_sub_ps(beyond, positive, one, beyond);
}

static inline __m512 gelu(__m512 x) {
    __m512 density;
    return _mm512_mul_ps(x, share_below(x, &density));
}

static inline __m512 slope_of_gelu(__m512 x) {
    __m512 density, share = share_below(x, &density);
    return _mm512_fmadd_ps(x, density, share);
}

/* Of each state; times its gradient where gradients are given. */
#define EACH(name, function)                                                                                           \
    void name(const bf16 *states, const bf16 *gradients, int64_t count, bf16 *results, int threads) {                  \
        _Pragma("omp parallel for num_threads(threads)") for (int64_t place = 0; place < count; place += 16) {         \
            __mmask16 there = count - place < 16 ? (__mmask16)((1 << (count - place)) - 1) : 0xffff;                   \
            __m512 some = function(numbers_of(_mm256_maskz_loadu_epi16(there, states + place)));                       \
            if (gradients)                                                                                             \
                some = _mm512_mul_ps(some, numbers_of(_mm256_maskz_loadu_epi16(there, gradients + place)));            \
            _mm256_mask_storeu_epi16(results + place, there, (__m256i)_mm512_cvtneps_pbh(some));                       \
        }                                                                                                              \
    }

EACH(swish_of, swish)
EACH(swish_gradient, slope_of_swish)
EACH(gelu_of, gelu)
EACH(gelu_gradient, slope_of_gelu)

static inline __m512i some_of_row(const bf16 *states, int64_t row, int64_t rows, int64_t stride, __mmask32 some) {
    return row < rows ? _mm512_maskz_loadu_epi16(some, states + row * stride) : _mm512_setzero_si512();
}

/* Rows `stride` numbers apart to columns of `[columns, rows]`, whose rows are `next` numbers apart. */
void transposed(const bf16 *states, int64_t rows, int64_t columns, int64_t stride, bf16 *turned, int64_t next,
                int threads) {
    const __m512i even = _mm512_set_epi16(62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32, 30, 28, 26, 24,
                                          22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i odd = _mm512_add_epi16(even, _mm512_set1_epi16(1));
#pragma omp parallel for num_threads(threads)
    for (int64_t column = 0; column < columns; column += 32)
        for (int64_t row = 0; row < rows; row += 32) {
            __m512i upper[16], lower[16];
            __mmask32 width = columns - column < 32 ? (1u << (columns - column)) - 1 : ~0u;
            __mmask32 there = rows - row < 32 ? (1u << (rows - row)) - 1 : ~0u;
            for (int i = 0; i < 16; i++) {
                upper[i] = some_of_row(states + column, row + i, rows, stride, width);
                lower[i] = some_of_row(states + column, row + 16 + i, rows, stride, width);
            }
            turn(upper);
            turn(lower);
            for (int i = 0; i < 16 && column + 2 * i < columns; i++) {
                bf16 *place = turned + (column + 2 * i) * next + row;
                _mm512_mask_storeu_epi16(place, there, _mm512_permutex2var_epi16(upper[i], even, lower[i]));
                if (column + 2 * i + 1 < columns)
                    _mm512_mask_storeu_epi16(place + next, there, _mm512_permutex2var_epi16(upper[i], odd, lower[i]));
            }
        }
}

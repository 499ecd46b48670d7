/* Activations and their slopes, of sixteen numbers at a time. */
#ifndef LEYENDA_ACTIVATIONS_H
#define LEYENDA_ACTIVATIONS_H

#include "powers.h"

/* 1 / (1 + exp(-x)), 6e-5 of it off at most, which is far below what rounding takes; 0 and 1 where it is
 * that. */
static inline __m512 sigmoid(__m512 x) {
    __m512 power = power_of_two(_mm512_mul_ps(x, _mm512_set1_ps(-1.44269504f)));
    return _mm512_rcp14_ps(_mm512_add_ps(_mm512_set1_ps(1), power));
}

static inline __m512 swish(__m512 x) { return _mm512_mul_ps(x, sigmoid(x)); }

static inline __m512 slope_of_swish(__m512 x) {
    __m512 share = sigmoid(x), rest = _mm512_sub_ps(_mm512_set1_ps(1), share);
    return _mm512_fmadd_ps(_mm512_mul_ps(x, share), rest, share);
}

/* The normal distribution's share below x, and its density; Abramowitz and Stegun 1964, 7.1.26: 1.5e-7 off at
 * most. */
static inline __m512 share_below(__m512 x, __m512 *density) {
    const __m512 one = _mm512_set1_ps(1);
    __m512 size = _mm512_abs_ps(x);
    __m512 power = power_of_two(_mm512_mul_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(-0.72134752f)));
    __m512 below = _mm512_fmadd_ps(size, _mm512_set1_ps(0.3275911f * 0.70710678f), one),
           about = _mm512_rcp14_ps(below);
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

#endif

/* Matrices of bf16 numbers in the order of memory that a processor's tiles (AMX) multiply, and products of
 * them.
 *
 * A tile is sixteen rows of 64 bytes: 16 x 32 numbers of the left factor, the same 16 x 32 of the right
 * factor with two rows of it side by side in pairs ("paired"), or 16 x 16 sums in float32.
 */
#ifndef LEYENDA_TILES_H
#define LEYENDA_TILES_H

#include "numbers.h"

#include <stdint.h>
#include <string.h>

enum { TILE_ROWS = 16, TILE_DEPTH = 32, TILE_BYTES = 1024 };

/* As the processor wants it: `ldtilecfg` of the Intel 64 manual. */
typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes_a_row[16];
    uint8_t rows[16];
} TileShapes;

static inline TileShapes whole_tiles(void) {
    TileShapes shapes = {.palette = 1};
    for (int tile = 0; tile < 8; tile++) shapes.bytes_a_row[tile] = 64, shapes.rows[tile] = TILE_ROWS;
    return shapes;
}

static inline int64_t rounded_up(int64_t count, int64_t multiple) {
    return (count + multiple - 1) / multiple * multiple;
}

/* Sixteen rows of sixteen 32-bit words, turned: word i of row j becomes word j of row i. */
static inline void turn(__m512i rows[16]) {
    __m512i half[16];
    for (int i = 0; i < 8; i++) {
        half[2 * i] = _mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
        half[2 * i + 1] = _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
    }
    for (int i = 0; i < 4; i++) {
        rows[4 * i] = _mm512_unpacklo_epi64(half[4 * i], half[4 * i + 2]);
        rows[4 * i + 1] = _mm512_unpackhi_epi64(half[4 * i], half[4 * i + 2]);
        rows[4 * i + 2] = _mm512_unpacklo_epi64(half[4 * i + 1], half[4 * i + 3]);
        rows[4 * i + 3] = _mm512_unpackhi_epi64(half[4 * i + 1], half[4 * i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        half[i] = _mm512_shuffle_i32x4(rows[i], rows[4 + i], 0x88);
        half[4 + i] = _mm512_shuffle_i32x4(rows[i], rows[4 + i], 0xdd);
        half[8 + i] = _mm512_shuffle_i32x4(rows[8 + i], rows[12 + i], 0x88);
        half[12 + i] = _mm512_shuffle_i32x4(rows[8 + i], rows[12 + i], 0xdd);
    }
    for (int i = 0; i < 8; i++) {
        rows[i] = _mm512_shuffle_i32x4(half[i], half[8 + i], 0x88);
        rows[8 + i] = _mm512_shuffle_i32x4(half[i], half[8 + i], 0xdd);
    }
}

/* A block of 32 rows and columns, of which so many are there, turned; zeros for the others. Of its columns
 * the even ones and the odd ones; the next block's are fetched. */
static inline void turn_block(const bf16 *states, int64_t rows, int64_t columns, int64_t stride,
                              __m512i evens[16], __m512i odds[16]) {
    const __m512i even = _mm512_set_epi16(62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32, 30,
                                          28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i odd = _mm512_add_epi16(even, _mm512_set1_epi16(1));
    const __mmask32 there = first_of_32(columns);
    __m512i halves[32];
    for (int row = 0; row < 32; row++) {
        halves[row] = _mm512_setzero_si512();
        if (row >= rows) continue;
        halves[row] = _mm512_maskz_loadu_epi16(there, states + row * stride);
        _mm_prefetch((const char *)(states + row * stride + 32), _MM_HINT_T1);
    }
    turn(halves);
    turn(halves + 16);
    for (int i = 0; i < 16; i++) {
        evens[i] = _mm512_permutex2var_epi16(halves[i], even, halves[16 + i]);
        odds[i] = _mm512_permutex2var_epi16(halves[i], odd, halves[16 + i]);
    }
}

/* A row of 32 numbers; zeros behind the last row. What lies `next` numbers behind them is fetched for later.
 */
static inline __m512i row_of(const bf16 *states, int64_t row, int64_t rows, int64_t stride, int64_t next) {
    if (row >= rows) return _mm512_setzero_si512();
    _mm_prefetch((const char *)(states + row * stride + next), _MM_HINT_T1);
    return _mm512_loadu_si512(states + row * stride);
}

/* Rows turned into the right factor's tiles: the product's columns are these rows.
 * Tile [rows / 16][width / 32]. With `turned`, also the plain transposition, `columns` numbers from row to
 * row. */
static inline void pair_columns(const bf16 *states, int64_t rows, int64_t stride, int64_t width, bf16 *tiles,
                                bf16 *turned, int64_t columns) {
    __m512i words[16];
    for (int64_t first = 0; first < rounded_up(rows, TILE_ROWS); first += TILE_ROWS)
        for (int64_t column = 0; column < width; column += TILE_DEPTH) {
            for (int i = 0; i < 16; i++) words[i] = row_of(states + column, first + i, rows, stride, width);
            turn(words);
            for (int i = 0; i < 16; i++) {
                if (tiles) {
                    _mm512_store_si512(tiles, words[i]);
                    tiles += TILE_DEPTH;
                }
                if (turned) {
                    bf16 *both = turned + (column + 2 * i) * columns + first;
                    _mm256_storeu_si256((void *)both, _mm512_cvtepi32_epi16(words[i]));
                    _mm256_storeu_si256((void *)(both + columns),
                                        _mm512_cvtepi32_epi16(_mm512_srli_epi32(words[i], 16)));
                }
            }
        }
}

/* Two rows of 32 numbers to two rows of 16 pairs. */
static inline void pair(__m512i upper, __m512i lower, __m512i *left, __m512i *right) {
    const __m512i places = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39,
                                            7, 38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
    *left = _mm512_permutex2var_epi16(upper, places, lower);
    *right = _mm512_permutex2var_epi16(upper, _mm512_add_epi16(places, _mm512_set1_epi16(16)), lower);
}

/* Rows as they are into the right factor's tiles: what the product sums over are these rows.
 * Tile [rows / 32][width / 16]; zeros behind the last row. */
static inline void pair_rows(const bf16 *states, int64_t rows, int64_t stride, int64_t width, bf16 *tiles) {
    for (int64_t first = 0; first < rounded_up(rows, TILE_DEPTH);
         first += TILE_DEPTH, tiles += TILE_DEPTH * width)
        for (int64_t column = 0; column < width; column += 32)
            for (int i = 0; i < 16; i++) {
                __m512i left, right;
                bf16 *place = tiles + column * TILE_DEPTH + i * 32;
                pair(row_of(states + column, first + 2 * i, rows, stride, width),
                     row_of(states + column, first + 2 * i + 1, rows, stride, width), &left, &right);
                _mm512_store_si512(place, left);
                _mm512_store_si512(place + TILE_BYTES / 2, right);
            }
}

/* Rows side by side, zeros behind the last up to a multiple of 32 rows. */
static inline void copy_rows(const bf16 *states, int64_t rows, int64_t stride, int64_t width, bf16 *copies) {
    for (int64_t row = 0; row < rounded_up(rows, TILE_DEPTH); row++)
        for (int64_t column = 0; column < width; column += 32, copies += 32)
            _mm512_store_si512(copies, row_of(states + column, row, rows, stride, width));
}

/* Factors of a product: the left one's rows `stride` numbers apart, the right one's tiles so many tiles
 * apart. */
typedef struct {
    const bf16 *left;
    int64_t stride;
    const bf16 *right;
    int64_t next_depth, next_column;
} Factors;

static inline __attribute__((always_inline)) void multiply_block(const Factors *of, float *sums,
                                                                 int64_t stride, int64_t row, int64_t column,
                                                                 int64_t depth, const int rows,
                                                                 const int columns) {
    const bf16 *left = of->left + row * TILE_ROWS * of->stride;
    const bf16 *right = of->right + column * of->next_column * (TILE_BYTES / 2);
    const int64_t left_bytes = of->stride * 2, sums_bytes = stride * 4;
    sums += row * TILE_ROWS * stride + column * 16;
    _tile_zero(0);
    if (columns > 1) _tile_zero(1);
    if (rows > 1) _tile_zero(2);
    if (rows > 1 && columns > 1) _tile_zero(3);
    for (int64_t step = 0; step < depth; step++) {
        _tile_loadd(6, right, 64);
        _tile_loadd(4, left, left_bytes);
        _tile_dpbf16ps(0, 4, 6);
        if (columns > 1) {
            _tile_loadd(7, right + of->next_column * (TILE_BYTES / 2), 64);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (rows > 1) {
            _tile_loadd(5, left + TILE_ROWS * of->stride, left_bytes);
            _tile_dpbf16ps(2, 5, 6);
            if (columns > 1) _tile_dpbf16ps(3, 5, 7);
        }
        left += TILE_DEPTH;
        right += of->next_depth * (TILE_BYTES / 2);
    }
    _tile_stored(0, sums, sums_bytes);
    if (columns > 1) _tile_stored(1, sums + 16, sums_bytes);
    if (rows > 1) _tile_stored(2, sums + TILE_ROWS * stride, sums_bytes);
    if (rows > 1 && columns > 1) _tile_stored(3, sums + TILE_ROWS * stride + 16, sums_bytes);
}

/* A strip of 32 rows whose left factor stays in the registers, as its depth is two tiles. */
static inline void multiply_strip(const Factors *of, float *sums, int64_t stride, int64_t columns) {
    const bf16 *right = of->right;
    const int64_t left_bytes = of->stride * 2, sums_bytes = stride * 4;
    _tile_loadd(2, of->left, left_bytes);
    _tile_loadd(3, of->left + TILE_DEPTH, left_bytes);
    _tile_loadd(4, of->left + TILE_ROWS * of->stride, left_bytes);
    _tile_loadd(5, of->left + TILE_ROWS * of->stride + TILE_DEPTH, left_bytes);
    for (int64_t column = 0; column < columns; column++) {
        _tile_loadd(6, right, 64);
        _tile_loadd(7, right + of->next_depth * (TILE_BYTES / 2), 64);
        _tile_zero(0);
        _tile_zero(1);
        _tile_dpbf16ps(0, 2, 6);
        _tile_dpbf16ps(1, 4, 6);
        _tile_dpbf16ps(0, 3, 7);
        _tile_dpbf16ps(1, 5, 7);
        _tile_stored(0, sums + column * 16, sums_bytes);
        _tile_stored(1, sums + TILE_ROWS * stride + column * 16, sums_bytes);
        right += of->next_column * (TILE_BYTES / 2);
    }
}

/* Sums, `stride` numbers from row to row, of a product of so many tiles. */
static inline void multiply(const Factors *of, float *sums, int64_t stride, int64_t rows, int64_t columns,
                            int64_t depth) {
    int64_t row = 0, column;
    if (rows == 2 && depth == 2) {
        multiply_strip(of, sums, stride, columns);
        return;
    }
    for (; row + 1 < rows; row += 2) {
        for (column = 0; column + 1 < columns; column += 2)
            multiply_block(of, sums, stride, row, column, depth, 2, 2);
        if (column < columns) multiply_block(of, sums, stride, row, column, depth, 2, 1);
    }
    if (row == rows) return;
    for (column = 0; column + 1 < columns; column += 2)
        multiply_block(of, sums, stride, row, column, depth, 1, 2);
    if (column < columns) multiply_block(of, sums, stride, row, column, depth, 1, 1);
}

/* Sums times a factor, a row of them to a row of states. */
static inline void store_rows(const float *sums, int64_t stride, int64_t rows, int64_t width,
                              const float *factors, int64_t next_factor, bf16 *states, int64_t next_row) {
    for (int64_t row = 0; row < rows; row++, factors += next_factor)
        for (int64_t column = 0; column < width; column += 16) {
            __m512 some =
                _mm512_mul_ps(_mm512_load_ps(sums + row * stride + column), _mm512_set1_ps(*factors));
            _mm256_storeu_si256((void *)(states + row * next_row + column),
                                (__m256i)_mm512_cvtneps_pbh(some));
        }
}

/* Sums times a factor, a column of them to a row of states. */
static inline void store_columns(const float *sums, int64_t stride, int64_t rows, int64_t width, float factor,
                                 bf16 *states, int64_t next_row) {
    __m512i words[16];
    for (int64_t first = 0; first < rows; first += 16)
        for (int64_t column = 0; column < width; column += 16) {
            for (int i = 0; i < 16; i++) words[i] = _mm512_load_si512(sums + (column + i) * stride + first);
            turn(words);
            for (int i = 0; i < 16 && first + i < rows; i++) {
                __m512 some = _mm512_mul_ps((__m512)words[i], _mm512_set1_ps(factor));
                _mm256_storeu_si256((void *)(states + (first + i) * next_row + column),
                                    (__m256i)_mm512_cvtneps_pbh(some));
            }
        }
}

#endif

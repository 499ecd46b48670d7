/* Attention of bf16 states, forward and backward, a head of an image at a time: what lies between the
 * products never leaves the core's cache.
 *
 * Dao et al. 2022, "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness",
 * arXiv:2205.14135: the backward pass computes the weights again, from the logarithm of each row's sum. As an
 * image has some 200 positions, a block's rows of scores are whole.
 */
#include "chance.h"
#include "powers.h"
#include "tiles.h"

#include <math.h>
#include <stdlib.h>

/* `[images, heads, positions, width]`, the width's numbers side by side, all else that many numbers apart. */
typedef struct {
    bf16 *first;
    int64_t image, head, position;
} Heads;

typedef struct {
    int64_t images, heads, asking, told, width;
    const uint8_t
        *mask; /* [images, last, told]: where the last queries may look; the others before these keys */
    int64_t last;
    int64_t seed, faces; /* of chance.h; no faces where there is no dropout */
    float scale, times;  /* of scores; of what dropout leaves */
} Attention;

enum { BLOCK = 32 };

typedef struct {
    int64_t asking, told;           /* in whole tiles of 16 */
    int64_t deep_asking, deep_told; /* in whole tiles of 32 */
    int64_t width, blocks;
} Sizes;

static Sizes sizes_of(const Attention *of) {
    Sizes sizes = {rounded_up(of->asking, 16),
                   rounded_up(of->told, 16),
                   rounded_up(of->asking, 32),
                   rounded_up(of->told, 32),
                   of->width,
                   rounded_up(of->told, 16) / 16};
    return sizes;
}

/* Memory handed out in pieces; with nothing behind it, it counts what is needed. */
typedef struct {
    char *next;
    size_t used;
} Room;

static void *take(Room *room, int64_t count, size_t size) {
    size_t bytes = (size_t)rounded_up(count * (int64_t)size, 64);
    void *piece = room->next ? room->next + room->used : NULL;
    room->used += bytes;
    return piece;
}

static inline bf16 *of_head(const Heads *states, int64_t image, int64_t head) {
    return states->first + image * states->image + head * states->head;
}

/* For each query and each 16 keys a bit for every key that it may look at. */
static void find_seen(const Attention *of, int64_t image, int64_t blocks, __mmask16 *seen) {
    for (int64_t row = 0; row < of->asking; row++, seen += blocks) {
        int64_t behind = row - (of->asking - of->last);
        int64_t visible = of->mask && behind < 0 ? of->told - of->last : of->told;
        const uint8_t *mask =
            of->mask && behind >= 0 ? of->mask + (image * of->last + behind) * of->told : NULL;
        for (int64_t block = 0; block < blocks; block++) {
            int64_t left = visible - block * 16;
            __mmask16 some = left >= 16 ? 0xffff : left <= 0 ? 0 : (__mmask16)((1 << left) - 1);
            if (mask)
                some &= _mm_test_epi8_mask(_mm_maskz_loadu_epi8(some, mask + block * 16), _mm_set1_epi8(-1));
            seen[block] = some;
        }
    }
}

/* What dropout leaves of a query's weights; without `chance`, all. */
typedef struct {
    const Chance *chance;
    int64_t place;
} Left;

static inline __mmask16 left_of(Left of, int64_t block) {
    return of.chance ? stays(of.chance, of.place + block) : 0xffff;
}

static inline Left left_of_query(const Attention *of, const Chance *chance, int64_t blocks, int64_t image,
                                 int64_t head, int64_t query) {
    Left left = {of->faces ? chance : NULL, ((image * of->heads + head) * of->asking + query) * blocks};
    return left;
}

typedef struct {
    bf16 *queries, *keys, *values, *weights;
    float *scores, *sums;
    __mmask16 *seen;
    int64_t image; /* whose queries they are */
} ForwardRoom;

static ForwardRoom forward_room(const Attention *of, Sizes by, Room *room) {
    ForwardRoom in;
    in.queries = take(room, by.deep_asking * by.width, sizeof(bf16));
    in.keys = take(room, by.told * by.width, sizeof(bf16));
    in.values = take(room, by.deep_told * by.width, sizeof(bf16));
    in.weights = take(room, BLOCK * by.deep_told, sizeof(bf16));
    in.scores = take(room, BLOCK * by.told, sizeof(float));
    in.sums = take(room, BLOCK * by.width, sizeof(float));
    in.seen = take(room, of->asking * by.blocks, sizeof(__mmask16));
    in.image = -1;
    return in;
}

/* A row of scores to weights that are not divided by their sum yet; returns the logarithm of the sum, base 2.
 */
static float weights_of_row(const float *scores, const __mmask16 *seen, int64_t blocks, Left left,
                            float scale, bf16 *weights, float *share) {
    const __m512 least = _mm512_set1_ps(-INFINITY);
    __m512 highest = least, total = _mm512_setzero_ps();
    for (int64_t block = 0; block < blocks; block++)
        highest = _mm512_mask_max_ps(highest, seen[block], highest, _mm512_load_ps(scores + block * 16));
    float most = _mm512_reduce_max_ps(highest) * scale;
    for (int64_t block = 0; block < blocks; block++) {
        __m512 power =
            _mm512_fmsub_ps(_mm512_load_ps(scores + block * 16), _mm512_set1_ps(scale), _mm512_set1_ps(most));
        __m512 weight = _mm512_maskz_mov_ps(seen[block], power_of_two(power));
        total = _mm512_add_ps(total, weight);
        weight = _mm512_maskz_mov_ps(left_of(left, block), weight);
        _mm256_store_si256((void *)(weights + block * 16), (__m256i)_mm512_cvtneps_pbh(weight));
    }
    float sum = _mm512_reduce_add_ps(total);
    *share = 1 / sum;
    return most + log2f(sum);
}

static void forward_head(const Attention *of, const Heads *states, int64_t image, int64_t head,
                         const Heads *attended, float *logarithms, Sizes by, ForwardRoom *in) {
    const float scale = of->scale * (float)M_LOG2E; /* of scores that are exponents of two */
    bf16 *result = of_head(attended, image, head);
    const Chance chance = chance_of((uint64_t)of->seed, (int)of->faces);
    float shares[BLOCK];
    copy_rows(of_head(&states[0], image, head), of->asking, states[0].position, by.width, in->queries);
    pair_columns(of_head(&states[1], image, head), of->told, states[1].position, by.width, in->keys, NULL, 0);
    pair_rows(of_head(&states[2], image, head), of->told, states[2].position, by.width, in->values);
    if (in->image != image) find_seen(of, image, by.blocks, in->seen);
    in->image = image;
    for (int64_t first = 0; first < of->asking; first += BLOCK) {
        int64_t rows = of->asking - first < BLOCK ? of->asking - first : BLOCK, tiles = (rows + 15) / 16;
        Factors scores = {in->queries + first * by.width, by.width, in->keys, 1, by.width / 32};
        multiply(&scores, in->scores, by.told, tiles, by.told / 16, by.width / 32);
        for (int64_t row = 0; row < rows; row++) {
            float logarithm =
                weights_of_row(in->scores + row * by.told, in->seen + (first + row) * by.blocks, by.blocks,
                               left_of_query(of, &chance, by.blocks, image, head, first + row), scale,
                               in->weights + row * by.deep_told, &shares[row]);
            if (logarithms) logarithms[first + row] = logarithm;
            shares[row] *= of->times;
        }
        Factors sums = {in->weights, by.deep_told, in->values, by.width / 16, 1};
        multiply(&sums, in->sums, by.width, tiles, by.width / 16, by.deep_told / 32);
        store_rows(in->sums, by.width, rows, by.width, shares, 1, result + first * attended->position,
                   attended->position);
    }
}

typedef struct {
    bf16 *queries, *keys, *values,
        *upstream; /* left factors' rows, or right factors' tiles with paired columns */
    bf16 *turned_queries, *turned_upstream;  /* [width, queries] */
    bf16 *paired_keys;                       /* tiles with paired rows */
    bf16 *paired_weights, *paired_of_scores; /* the same, [queries / 32][keys / 16] */
    bf16 *of_scores;                         /* a block's gradients of scores, as a left factor */
    float *scores, *of_weights, *sums, *turned_sums;
    __mmask16 *seen;
    int64_t image; /* whose queries they are */
} BackwardRoom;

static BackwardRoom backward_room(const Attention *of, Sizes by, Room *room) {
    BackwardRoom in;
    in.queries = take(room, by.deep_asking * by.width, sizeof(bf16));
    in.upstream = take(room, by.deep_asking * by.width, sizeof(bf16));
    in.keys = take(room, by.told * by.width, sizeof(bf16));
    in.values = take(room, by.told * by.width, sizeof(bf16));
    in.turned_queries = take(room, by.deep_asking * by.width, sizeof(bf16));
    in.turned_upstream = take(room, by.deep_asking * by.width, sizeof(bf16));
    in.paired_keys = take(room, by.deep_told * by.width, sizeof(bf16));
    in.paired_weights = take(room, by.deep_asking * by.told, sizeof(bf16));
    in.paired_of_scores = take(room, by.deep_asking * by.told, sizeof(bf16));
    in.of_scores = take(room, BLOCK * by.deep_told, sizeof(bf16));
    in.scores = take(room, BLOCK * by.told, sizeof(float));
    in.of_weights = take(room, BLOCK * by.told, sizeof(float));
    in.sums = take(room, BLOCK * by.width, sizeof(float));
    in.turned_sums = take(room, by.width * by.told, sizeof(float));
    in.seen = take(room, of->asking * by.blocks, sizeof(__mmask16));
    in.image = -1;
    return in;
}

/* What a query's gradients of scores are found from. */
typedef struct {
    const float *scores, *of_weights;
    const __mmask16 *seen;
    Left left;
    float logarithm, mean;
} Query;

/* Weights that dropout leaves, and gradients of scores, of 16 keys. */
static inline void gradients_of(const Query *query, int64_t block, float scale, float times, __m512 *left,
                                __m512 *of_scores) {
    __mmask16 seen = query->seen[block], kept = left_of(query->left, block);
    __m512 power = _mm512_fmsub_ps(_mm512_load_ps(query->scores + block * 16), _mm512_set1_ps(scale),
                                   _mm512_set1_ps(query->logarithm));
    __m512 weight = _mm512_maskz_mov_ps(seen, power_of_two(power));
    __m512 of_weight =
        _mm512_maskz_mul_ps(kept, _mm512_load_ps(query->of_weights + block * 16), _mm512_set1_ps(times));
    *left = _mm512_maskz_mov_ps(kept, weight);
    *of_scores = _mm512_maskz_mul_ps(seen, weight, _mm512_sub_ps(of_weight, _mm512_set1_ps(query->mean)));
}

static inline __m512i paired(__m512i both) {
    const __m512i places = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23,
                                            7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(places, both);
}

/* Two queries' weights and gradients of scores into the tiles' row of pairs; the latter as they are as well.
 */
static void gradients_of_two(const Query two[2], int64_t blocks, float scale, float times,
                             bf16 *paired_weights, bf16 *paired_of_scores, bf16 *of_scores, int64_t stride) {
    for (int64_t block = 0; block < blocks; block++) {
        __m512 left[2], gradients[2];
        for (int i = 0; i < 2; i++) gradients_of(&two[i], block, scale, times, &left[i], &gradients[i]);
        __m512i both = (__m512i)_mm512_cvtne2ps_pbh(gradients[1], gradients[0]);
        _mm256_store_si256((void *)(of_scores + block * 16), _mm512_castsi512_si256(both));
        _mm256_store_si256((void *)(of_scores + stride + block * 16), _mm512_extracti64x4_epi64(both, 1));
        _mm512_store_si512(paired_of_scores + block * TILE_BYTES / 2, paired(both));
        both = (__m512i)_mm512_cvtne2ps_pbh(left[1], left[0]);
        _mm512_store_si512(paired_weights + block * TILE_BYTES / 2, paired(both));
    }
}

static float dot(const bf16 *left, const bf16 *right, int64_t width) {
    __m512 sum = _mm512_setzero_ps();
    for (int64_t column = 0; column < width; column += 32) {
        _mm_prefetch((const char *)(left + column + width), _MM_HINT_T1);
        sum = _mm512_dpbf16_ps(sum, (__m512bh)_mm512_loadu_si512(left + column),
                               (__m512bh)_mm512_loadu_si512(right + column));
    }
    return _mm512_reduce_add_ps(sum);
}

static void backward_head(const Attention *of, const Heads *states, const Heads *attended,
                          const Heads *upstream, int64_t image, int64_t head, const float *logarithms,
                          const Heads *gradients, Sizes by, BackwardRoom *in) {
    const float scale = of->scale * (float)M_LOG2E;
    const bf16 *queries = of_head(&states[0], image, head), *keys = of_head(&states[1], image, head);
    const bf16 *result = of_head(attended, image, head), *of_result = of_head(upstream, image, head);
    const Chance chance = chance_of((uint64_t)of->seed, (int)of->faces);
    static const __mmask16 nothing_seen[1024];
    copy_rows(queries, of->asking, states[0].position, by.width, in->queries);
    copy_rows(of_result, of->asking, upstream->position, by.width, in->upstream);
    pair_columns(in->queries, by.deep_asking, by.width, by.width, NULL, in->turned_queries, by.deep_asking);
    pair_columns(in->upstream, by.deep_asking, by.width, by.width, NULL, in->turned_upstream, by.deep_asking);
    pair_columns(keys, of->told, states[1].position, by.width, in->keys, NULL, 0);
    pair_rows(keys, of->told, states[1].position, by.width, in->paired_keys);
    pair_columns(of_head(&states[2], image, head), of->told, states[2].position, by.width, in->values, NULL,
                 0);
    if (in->image != image) find_seen(of, image, by.blocks, in->seen);
    in->image = image;
    for (int64_t first = 0; first < of->asking; first += BLOCK) {
        int64_t rows = of->asking - first < BLOCK ? of->asking - first : BLOCK, tiles = (rows + 15) / 16;
        Factors scores = {in->queries + first * by.width, by.width, in->keys, 1, by.width / 32};
        multiply(&scores, in->scores, by.told, tiles, by.told / 16, by.width / 32);
        Factors of_weights = {in->upstream + first * by.width, by.width, in->values, 1, by.width / 32};
        multiply(&of_weights, in->of_weights, by.told, tiles, by.told / 16, by.width / 32);
        for (int64_t row = 0; row < BLOCK; row += 2) {
            Query two[2];
            for (int i = 0; i < 2; i++) {
                int64_t number = first + row + i;
                int there = row + i < rows; /* what is behind the last query sees nothing */
                two[i].scores = in->scores + (there ? row + i : 0) * by.told;
                two[i].of_weights = in->of_weights + (there ? row + i : 0) * by.told;
                two[i].seen = there ? in->seen + number * by.blocks : nothing_seen;
                two[i].left = left_of_query(of, &chance, by.blocks, image, head, number);
                two[i].logarithm = there ? logarithms[number] : 0;
                two[i].mean = there ? dot(result + number * attended->position,
                                          of_result + number * upstream->position, by.width)
                                    : 0;
            }
            int64_t place = (first / BLOCK) * by.blocks * TILE_BYTES / 2 + row / 2 * 32;
            gradients_of_two(two, by.blocks, scale, of->times, in->paired_weights + place,
                             in->paired_of_scores + place, in->of_scores + row * by.deep_told, by.deep_told);
        }
        Factors of_queries = {in->of_scores, by.deep_told, in->paired_keys, by.width / 16, 1};
        multiply(&of_queries, in->sums, by.width, tiles, by.width / 16, by.deep_told / 32);
        store_rows(in->sums, by.width, rows, by.width, &of->scale, 0,
                   of_head(&gradients[0], image, head) + first * gradients[0].position,
                   gradients[0].position);
    }
    Factors of_keys = {in->turned_queries, by.deep_asking, in->paired_of_scores, by.blocks, 1};
    multiply(&of_keys, in->turned_sums, by.told, by.width / 16, by.blocks, by.deep_asking / 32);
    store_columns(in->turned_sums, by.told, of->told, by.width, of->scale,
                  of_head(&gradients[1], image, head), gradients[1].position);
    Factors of_values = {in->turned_upstream, by.deep_asking, in->paired_weights, by.blocks, 1};
    multiply(&of_values, in->turned_sums, by.told, by.width / 16, by.blocks, by.deep_asking / 32);
    store_columns(in->turned_sums, by.told, of->told, by.width, of->times,
                  of_head(&gradients[2], image, head), gradients[2].position);
}

/* The tiles' shapes are another library's before and afterwards. */
static void begin_tiles(TileShapes *before) {
    TileShapes shapes = whole_tiles();
    _tile_storeconfig(before);
    _tile_loadconfig(&shapes);
}

/* A thread's memory, cleared; NULL where there is none. */
static char *memory_for(const Room *counted) {
    char *memory = aligned_alloc(64, counted->used);
    if (memory) memset(memory, 0, counted->used);
    return memory;
}

/* Weighted sums of values, and for `attention_backward` the logarithm, base 2, of each query's sum, or NULL.
 * `states` are queries, keys and values. Returns 0, or 1 where there is no memory. */
int attention_forward(const Attention *of, const Heads states[3], const Heads *attended, float *logarithms,
                      int threads) {
    Sizes by = sizes_of(of);
    int failed = 0;
#pragma omp parallel num_threads(threads) reduction(| : failed)
    {
        Room room = {0};
        forward_room(of, by, &room);
        char *memory = memory_for(&room);
        failed = memory == NULL;
        room = (Room){memory, 0};
        ForwardRoom in = forward_room(of, by, &room);
        TileShapes before;
        begin_tiles(&before);
#pragma omp for
        for (int64_t number = 0; number < of->images * of->heads; number++)
            if (memory)
                forward_head(of, states, number / of->heads, number % of->heads, attended,
                             logarithms ? logarithms + number * of->asking : NULL, by, &in);
        _tile_loadconfig(&before);
        free(memory);
    }
    return failed;
}

/* Gradients of queries, keys and values from that of what `attention_forward` found. */
int attention_backward(const Attention *of, const Heads states[3], const Heads *attended,
                       const Heads *upstream, const float *logarithms, const Heads gradients[3],
                       int threads) {
    Sizes by = sizes_of(of);
    int failed = 0;
#pragma omp parallel num_threads(threads) reduction(| : failed)
    {
        Room room = {0};
        backward_room(of, by, &room);
        char *memory = memory_for(&room);
        failed = memory == NULL;
        room = (Room){memory, 0};
        BackwardRoom in = backward_room(of, by, &room);
        TileShapes before;
        begin_tiles(&before);
#pragma omp for
        for (int64_t number = 0; number < of->images * of->heads; number++)
            if (memory)
                backward_head(of, states, attended, upstream, number / of->heads, number % of->heads,
                              logarithms + number * of->asking, gradients, by, &in);
        _tile_loadconfig(&before);
        free(memory);
    }
    return failed;
}

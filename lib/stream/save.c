/* The state of the metric layer as bytes:
 *     u32 magic "VDST", u8 version, u64 length, `length` bytes, u32 CRC-32C of them.
 * Only what history has filled is written, so a young stream is short. The loader checks
 * each number against what the code can have made, because a wrong count or index would
 * later read outside its array. Other versions are refused: a metric is soon learned
 * anew.
 */
#include <math.h>

#include "base/alloc.h"
#include "stream/state.h"

enum { STREAM_MAGIC = 0x54534456, STREAM_VERSION = 1 };

static void write_values(struct vd_writer *w, const float *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        vd_write_f32(w, at[i]);
}

/* Reads samples, or counts of them: finite and within the bounds that held() keeps. */
static void read_values(struct vd_reader *r, float *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        at[i] = vd_read_f32(r);
        if (!(fabsf(at[i]) <= 4e18F))
            r->failed = true;
    }
}

/* Reads a count or an index; a value that is not below `bound` fails and gives 0. */
static uint32_t read_below(struct vd_reader *r, uint32_t bound)
{
    uint32_t value = vd_read_u32(r);

    if (value >= bound)
        r->failed = true;
    return value < bound ? value : 0;
}

/* Reads a number that must be finite and at least 0. */
static double read_not_negative(struct vd_reader *r)
{
    double value = vd_read_f64(r);

    if (!(value >= 0) || isinf(value))
        r->failed = true;
    return value;
}

/* Writes the counts from the first to the last bin that has any. */
static void save_tail(const struct vd__tail *tail, struct vd_writer *w)
{
    uint32_t first = 0, end = TAIL_BINS;

    while (first < TAIL_BINS && tail->count[first] <= 0)
        first++;
    while (end > first && tail->count[end - 1] <= 0)
        end--;
    vd_write_u32(w, (uint32_t)tail->base);
    vd_write_u32(w, (uint32_t)tail->start);
    vd_write_f32(w, tail->zeros);
    vd_write_f64(w, tail->above);
    vd_write_f64(w, tail->sum_above);
    vd_write_u32(w, first);
    vd_write_u32(w, end);
    write_values(w, tail->count + first, end - first);
}

/* Reads what save_tail wrote and makes the sums anew. */
static void load_tail(struct vd__tail *tail, struct vd_reader *r)
{
    uint32_t first, end;

    tail->base = (int32_t)read_below(r, TAIL_BASE_MAX + 1);
    tail->start = (int32_t)read_below(r, TAIL_BINS);
    tail->zeros = vd_read_f32(r);
    tail->above = read_not_negative(r);
    tail->sum_above = read_not_negative(r);
    first = read_below(r, TAIL_BINS + 1);
    end = read_below(r, TAIL_BINS + 1);
    if (end < first || !(tail->zeros >= 0) || isinf(tail->zeros)) {
        r->failed = true;
        return;
    }
    read_values(r, tail->count + first, end - first);
    tail->n = tail->zeros;
    for (uint32_t i = first; i < end; i++) {
        if (!(tail->count[i] >= 0))
            r->failed = true;
        tail->group[i / TAIL_GROUP] += tail->count[i];
        tail->n += tail->count[i];
    }
}

/* Writes also what is made at the end of each block: made anew it would count the samples
 * of the unfinished block too early. */
static void save_odds(const struct vd__odds *odds, struct vd_writer *w)
{
    uint32_t end = ODDS_BINS;

    while (end > 0 && odds->rows[end - 1] <= 0)
        end--;
    vd_write_u32(w, end);
    write_values(w, odds->rows, end);
    write_values(w, odds->peaks, end);
    write_values(w, odds->body, ODDS_BINS);
    vd_write_f64(w, odds->n);
    vd_write_f64(w, odds->n_peaks);
    vd_write_f64(w, odds->peak);
    vd_write_u32(w, odds->in_block);
    vd_write_f64(w, odds->start);
    vd_write_f64(w, odds->rate);
    vd_write_f64(w, odds->scale);
    vd_write_f64(w, odds->shape);
}

static void load_odds(struct vd__odds *odds, struct vd_reader *r)
{
    uint32_t end = read_below(r, ODDS_BINS + 1);

    read_values(r, odds->rows, end);
    read_values(r, odds->peaks, end);
    for (uint32_t i = 0; i < end; i++)
        if (!(odds->rows[i] >= 0 && odds->peaks[i] >= 0))
            r->failed = true;
    read_values(r, odds->body, ODDS_BINS);
    odds->n = read_not_negative(r);
    odds->n_peaks = read_not_negative(r);
    odds->peak = read_not_negative(r);
    odds->in_block = read_below(r, ODDS_BLOCK);
    odds->start = read_not_negative(r);
    odds->rate = read_not_negative(r);
    odds->scale = read_not_negative(r);
    odds->shape = read_not_negative(r);
    if (odds->n_peaks > 0 && !(odds->rate > 0 && odds->scale > 0))
        r->failed = true;
}

static void save_nearest(const struct vd__nearest *set, struct vd_writer *w)
{
    vd_write_u32(w, set->n);
    write_values(w, set->at, set->n);
    vd_write_f32(w, set->gap);
    vd_write_u32(w, set->n_late);
    vd_write_u32(w, set->next_late);
    write_values(w, set->late, NEAREST_DELAY);
}

static void load_nearest(struct vd__nearest *set, struct vd_reader *r)
{
    set->n = read_below(r, NEAREST_MAX + 1);
    read_values(r, set->at, set->n);
    for (uint32_t i = 1; i < set->n; i++)
        if (set->at[i] < set->at[i - 1])
            r->failed = true;
    read_values(r, &set->gap, 1);
    if (set->gap < 0)
        r->failed = true;
    set->n_late = read_below(r, NEAREST_DELAY + 1);
    set->next_late = read_below(r, NEAREST_DELAY);
    read_values(r, set->late, NEAREST_DELAY);
}

/* Writes the ranges of the hours that have one. */
static void save_daily(const struct vd__daily *daily, struct vd_writer *w)
{
    vd_write_u8(w, daily->started);
    vd_write_u32(w, (uint32_t)daily->day);
    vd_write_u32(w, (uint32_t)daily->slot);
    for (int day = 0; day < DAILY_DAYS; day++) {
        vd_write_bytes(w, daily->seen[day], sizeof daily->seen[day]);
        for (int slot = 0; slot < DAILY_SLOTS; slot++) {
            if (!(daily->seen[day][slot / 8] >> (slot % 8) & 1))
                continue;
            vd_write_f32(w, daily->low[day][slot]);
            vd_write_f32(w, daily->high[day][slot]);
        }
    }
}

static void load_daily(struct vd__daily *daily, struct vd_reader *r)
{
    daily->started = vd_read_u8(r) == 1;
    daily->day = (int32_t)read_below(r, DAILY_DAY_MAX + 1);
    daily->slot = (int32_t)read_below(r, DAILY_SLOTS);
    for (int day = 0; day < DAILY_DAYS; day++) {
        vd_read_bytes(r, daily->seen[day], sizeof daily->seen[day]);
        for (int slot = 0; slot < DAILY_SLOTS && !r->failed; slot++) {
            if (!(daily->seen[day][slot / 8] >> (slot % 8) & 1))
                continue;
            read_values(r, &daily->low[day][slot], 1);
            read_values(r, &daily->high[day][slot], 1);
            if (daily->low[day][slot] > daily->high[day][slot])
                r->failed = true;
        }
    }
    if (!r->failed && daily->started)
        vd__daily_gather(daily);
}

static void save_course(const struct vd__course *course, struct vd_writer *w)
{
    vd_write_u32(w, course->n);
    vd_write_u32(w, course->next);
    for (int k = 0; k < COURSE_MEANS; k++)
        write_values(w, course->at[k], course->n);
    write_values(w, course->mean, COURSE_RING);
}

static void load_course(struct vd__course *course, struct vd_reader *r)
{
    course->n = read_below(r, COURSE_MAX + 1);
    course->next = read_below(r, COURSE_MAX);
    if (course->n < COURSE_MAX && course->next != course->n)
        r->failed = true;
    for (int k = 0; k < COURSE_MEANS; k++)
        read_values(r, course->at[k], course->n);
    read_values(r, course->mean, COURSE_RING);
}

static void save_state(const vd_stream *stream, struct vd_writer *w)
{
    vd_write_u64(w, stream->params.warm_up);
    vd_write_u64(w, stream->params.memory);
    vd_write_f64(w, stream->params.threshold);
    vd_write_u64(w, stream->rows);
    vd_write_f64(w, stream->origin);
    vd_write_f64(w, stream->scale);
    vd_write_f64(w, stream->habit_fast);
    vd_write_f64(w, stream->habit_slow);
    vd_write_u64(w, stream->last_alarm);
    vd_write_u64(w, stream->recent.n);
    write_values(w, stream->recent.at, RECENT);
    for (int i = 0; i < VD_STREAM_PARTS; i++)
        save_tail(&stream->tail[i], w);
    save_odds(&stream->z, w);
    vd_write_u32(w, stream->known);
    save_nearest(&stream->value, w);
    save_daily(&stream->daily, w);
    save_daily(&stream->spread, w);
    save_course(&stream->brief, w);
    save_course(&stream->slow, w);
}

static void load_state(vd_stream *stream, struct vd_reader *r)
{
    stream->params.warm_up = (size_t)vd_read_u64(r);
    stream->params.memory = (size_t)vd_read_u64(r);
    stream->params.threshold = vd_read_f64(r);
    stream->rows = vd_read_u64(r);
    stream->origin = vd_read_f64(r);
    stream->scale = read_not_negative(r);
    stream->habit_fast = read_not_negative(r);
    stream->habit_slow = read_not_negative(r);
    stream->last_alarm = vd_read_u64(r);
    stream->recent.n = vd_read_u64(r);
    read_values(r, stream->recent.at, RECENT);
    for (int i = 0; i < VD_STREAM_PARTS; i++)
        load_tail(&stream->tail[i], r);
    load_odds(&stream->z, r);
    stream->known = read_below(r, VD_STREAM_PARTS + 1);
    load_nearest(&stream->value, r);
    load_daily(&stream->daily, r);
    load_daily(&stream->spread, r);
    load_course(&stream->brief, r);
    load_course(&stream->slow, r);
    /* The rings are filled as far as the number of samples says. */
    if (stream->params.memory == 0 || isnan(stream->params.threshold) ||
        !isfinite(stream->origin) || stream->last_alarm > stream->rows ||
        stream->recent.n != stream->rows || r->left != 0)
        r->failed = true;
}

void vd_stream_save(const vd_stream *stream, struct vd_writer *w)
{
    struct vd_writer state = {0};

    save_state(stream, &state);
    vd_write_u32(w, STREAM_MAGIC);
    vd_write_u8(w, STREAM_VERSION);
    vd_write_u64(w, state.size);
    vd_write_bytes(w, state.at, state.size);
    vd_write_u32(w, vd_crc32c(0, state.at, state.size));
    if (state.status != VD_OK)
        w->status = state.status;
    vd_writer_release(&state);
}

/* Finds the state's bytes in `r` and moves past them; false = damaged. */
static bool open_state(struct vd_reader *r, struct vd_reader *state)
{
    size_t size = vd_read_count(r, 1);

    vd_reader_init(state, r->at, size);
    if (r->failed || r->left - size < sizeof(uint32_t))
        return false;
    r->at += size;
    r->left -= size;
    return vd_read_u32(r) == vd_crc32c(0, state->at, size);
}

enum vd_status vd_stream_load(vd_stream **out, struct vd_reader *r, struct vd_error *err)
{
    uint32_t magic = vd_read_u32(r);
    uint8_t version = vd_read_u8(r);
    struct vd_reader state;
    vd_stream *stream;

    *out = NULL;
    if (!r->failed && magic == STREAM_MAGIC && version != STREAM_VERSION)
        return vd_error_set(err, VD_ERR_VERSION, "the metric will be learnt again",
                            "a metric's state has version %u, this program reads %d",
                            version, STREAM_VERSION);
    if (r->failed || magic != STREAM_MAGIC || !open_state(r, &state))
        goto damaged;
    stream = vd__alloc_zero(1, sizeof *stream);
    if (stream == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a metric's state");
    load_state(stream, &state);
    if (!state.failed) {
        *out = stream;
        return VD_OK;
    }
    vd_stream_free(stream);
damaged:
    r->failed = true;
    return vd_error_set(err, VD_ERR_FORMAT, "the metric will be learnt again",
                        "a metric's state is cut short or damaged");
}

/* The tail of quiet surprises is followed online: exceedances of a level u are counted as
 * clusters, their mean excess and their rate give the threshold. Clusters, their excess
 * and the time watched are all that is kept. Alerts spent are one number that fades over
 * a week; what people confirm is given back. */
#include "alert/budget.h"

#include <assert.h>
#include <math.h>

/* Counts the seconds of a week, in which the budget is given. */
static const double WEEK_S = 7 * 86400.0;

/* A surprise of 2 is passed by one quiet sample in a hundred: often enough to learn from,
 * rare enough to be tail. */
static const double LEVEL = 2;

/* Clusters per gap from which the level counts as too low. */
static const double CROWDED = 0.1;

/* The mean excess of an exact surprise: -log10 of a uniform p is exponential with mean
 * 1 / ln 10. */
static const double EXACT_EXCESS = 0.43429448190325176;

/* The prior weighs as much as so many clusters: a day of a noisy host outvotes it, ten
 * minutes do not. */
static const double PRIOR_CLUSTERS = 10;

/* However well-behaved the quiet was, less than this is no reason to wake anyone; and
 * however wild it was, what lies this far out is one. */
static const double THRESHOLD_MIN = 3.5, THRESHOLD_MAX = 25;

/* What each unconfirmed alert adds to the threshold, and the most it can add up to. */
static const double PENALTY = 0.25, PENALTY_MAX = 2;

/* So many alerts a week may repeat themselves, however small the budget is. */
static const double SPARE = 3;

/* Starts with a prior: a quiet whose surprises are exact, seen for a while. `interval_s`
 * is the time between two samples. */
void alert_budget_init(struct alert_budget *b, double per_week, double interval_s)
{
    *b = (struct alert_budget){
        .per_week = per_week,
        .level = LEVEL,
        .gap_s = 10 * interval_s,
        .clusters = PRIOR_CLUSTERS,
        .excess = PRIOR_CLUSTERS * EXACT_EXCESS,
        .watched_s = PRIOR_CLUSTERS * interval_s * pow(10, LEVEL),
    };
}

/* Raises the level where exceedances are so frequent that independent ones run together:
 * it is too low to be tail. An exponential tail looks the same from a higher level, with
 * fewer clusters, so what was counted is carried over. */
static void raise_level(struct alert_budget *b)
{
    double beta = b->excess / b->clusters;

    b->level += beta * log(2);
    b->clusters /= 2;
    b->excess /= 2;
}

/* Counts a cluster with its highest excess. One incident of many samples is one cluster,
 * or it would be taken for many. */
static void end_cluster(struct alert_budget *b)
{
    /* A peak far out is more likely an incident than quiet: it counts for no more than
     * the largest of twenty quiet ones would. The mean of an exponential cut there is
     * smaller by its factor 1 - exp(-3). */
    double most = 3 * b->excess / b->clusters;

    b->clusters += 1;
    b->excess += fmin(b->peak - b->level, most) / (1 - exp(-3));
    b->in_cluster = false;
    if (b->clusters / b->watched_s * b->gap_s > CROWDED)
        raise_level(b);
}

/* Adds the surprise of a span in seconds. NaN only lets the time pass. A span of more
 * than a week says that the clock was wrong. */
void alert_budget_add(struct alert_budget *b, double surprise, double seconds)
{
    if (!(seconds > 0) || seconds > WEEK_S)
        return;
    b->watched_s += seconds;
    b->quiet_s += seconds;
    b->spent *= exp(-seconds / WEEK_S);
    if (surprise > b->level) {
        b->peak = b->in_cluster ? fmax(b->peak, surprise) : surprise;
        b->in_cluster = true;
        b->below_s = 0;
        return;
    }
    b->below_s += seconds;
    if (b->in_cluster && b->below_s >= b->gap_s)
        end_cluster(b);
}

/* Gives the surprise that quiet passes so often as the budget allows, and adds a penalty
 * for alerts that nobody confirmed. */
double alert_budget_threshold(const struct alert_budget *b)
{
    double rate = b->clusters / b->watched_s;
    double beta = b->excess / b->clusters;
    double s0 = b->level + beta * log(rate * WEEK_S / b->per_week);

    assert(b->clusters > 0 && b->watched_s > 0);
    return fmin(fmax(s0, THRESHOLD_MIN) + fmin(PENALTY * b->spent, PENALTY_MAX),
                THRESHOLD_MAX);
}

/* Tells whether the week's alerts are used up. */
bool alert_budget_is_spent(const struct alert_budget *b)
{
    return b->spent >= fmax(b->per_week, SPARE);
}

void alert_budget_alerted(struct alert_budget *b)
{
    b->alerts += 1;
    b->spent += 1;
}

/* Gives back what an alert cost and notes it in *credit, so that it can be taken back.
 * `credit` may be NULL. */
void alert_budget_confirmed(struct alert_budget *b, struct alert_credit *credit)
{
    struct alert_credit given = {
        .alerts = fmin(b->alerts, 1),
        .spent = fmin(b->spent, 1),
        .quiet_s = b->quiet_s,
    };

    b->alerts -= given.alerts;
    b->spent -= given.spent;
    if (credit != NULL)
        *credit = given;
}

/* Takes a credit back. The spent part has faded meanwhile as it would have. */
void alert_budget_unconfirmed(struct alert_budget *b, const struct alert_credit *credit)
{
    double since_s = fmax(b->quiet_s - credit->quiet_s, 0);

    b->alerts += credit->alerts;
    b->spent += credit->spent * exp(-since_s / WEEK_S);
}

/* Checks a credit that was read from a file. */
bool alert_credit_is_sane(const struct alert_credit *credit)
{
    return credit->alerts >= 0 && credit->alerts <= 1 && credit->spent >= 0 &&
           credit->spent <= 1 && credit->quiet_s >= 0 && isfinite(credit->quiet_s);
}

/* Gives the false alarms a week that were measured; NaN in the first hour, which would be
 * extrapolated too far. */
double alert_budget_achieved(const struct alert_budget *b)
{
    return b->quiet_s < 3600 ? NAN : b->alerts * WEEK_S / b->quiet_s;
}

void alert_budget_save(const struct alert_budget *b, struct vd_writer *w)
{
    const double saved[] = {b->level, b->watched_s, b->clusters, b->excess,
                            b->spent, b->quiet_s,   b->alerts};

    vd_write_f64s(w, saved, sizeof saved / sizeof *saved);
}

/* Loads the budget whole or not at all; numbers that would divide by zero are refused. */
enum vd_status alert_budget_load(struct alert_budget *b, struct vd_reader *r,
                                 struct vd_error *err)
{
    double saved[7];
    bool good;

    vd_read_f64s(r, saved, sizeof saved / sizeof *saved);
    good = !r->failed;
    for (size_t i = 0; i < sizeof saved / sizeof *saved; i++)
        good = good && isfinite(saved[i]) && saved[i] >= 0;
    if (!good || saved[0] < LEVEL || saved[1] <= 0 || saved[2] <= 0 || saved[3] <= 0)
        return vd_error_set(err, VD_ERR_FORMAT, "it is learnt anew",
                            "the saved alert budget is damaged");
    b->level = saved[0];
    b->watched_s = saved[1];
    b->clusters = saved[2];
    b->excess = saved[3];
    b->spent = saved[4];
    b->quiet_s = saved[5];
    b->alerts = saved[6];
    return VD_OK;
}

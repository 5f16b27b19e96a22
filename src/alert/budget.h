/* The alert budget: "at most N false alarms per host and week".
 *
 * The fused surprise of quiet times has a tail; the budget learns that tail from this
 * host and puts the threshold where the tail is crossed N times a week. Peaks over
 * threshold with declustering: exceedances of a fixed level u that lie closer than a gap
 * count as one cluster, clusters arrive at rate lambda, their peaks exceed u by an
 * exponential excess of mean beta (Coles, An Introduction to Statistical Modeling of
 * Extreme Values, 2001, chapters 4 and 5). The level that is crossed r times a second is
 *     s0 = u + beta ln(lambda / r).
 * A prior worth a few clusters says what a perfectly calibrated surprise would do, so the
 * first minutes have a sensible threshold too.
 */
#ifndef VD_ALERT_BUDGET_H
#define VD_ALERT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "vedette/bytes.h"

struct alert_budget {
    double per_week;  /* the setting */
    double level;     /* u, a surprise */
    double gap_s;     /* below u for so long: the cluster is over */
    double watched_s; /* time seen, prior's share included */
    double clusters;  /* seen, prior's share included */
    double excess;    /* sum of the clusters' excesses, prior's share included */
    double peak;      /* of the running cluster */
    double below_s;   /* since the last exceedance */
    bool in_cluster;
    double spent;   /* alerts that nobody confirmed, faded over a week */
    double quiet_s; /* time watched without the prior */
    double alerts;  /* alerts that were not confirmed as real */
};

/* `interval_s` between samples. per_week > 0. */
void alert_budget_init(struct alert_budget *b, double per_week, double interval_s);

/* Takes one sample: the statistic on which events are decided, `seconds` after the one
 * before. NaN only lets time pass. */
void alert_budget_add(struct alert_budget *b, double surprise, double seconds);

/* The surprise above which something goes out as an alert. */
double alert_budget_threshold(const struct alert_budget *b);

/* This week's alerts are out: what repeats one of them may go without. */
bool alert_budget_is_spent(const struct alert_budget *b);

/* Counts an alert that went out. */
void alert_budget_alerted(struct alert_budget *b);

/* What an alert that turned out to be real was given back. */
struct alert_credit {
    double alerts, spent;
    double quiet_s; /* the budget's time then: what is spent fades */
};

/* Removes a confirmed alert from the count: it was no false alarm. *credit (may be NULL)
 * receives what was given back; alert_budget_unconfirmed takes that again. */
void alert_budget_confirmed(struct alert_budget *b, struct alert_credit *credit);
void alert_budget_unconfirmed(struct alert_budget *b, const struct alert_credit *credit);

/* Checks a credit that was read from outside. */
bool alert_credit_is_sane(const struct alert_credit *credit);

/* Alerts a week so far that nobody confirmed; NaN in the first hour. */
double alert_budget_achieved(const struct alert_budget *b);

/* Saves what was learned of the tail and counted, for the next run. Load leaves the
 * setting as it is, and everything when the bytes make no sense. */
void alert_budget_save(const struct alert_budget *b, struct vd_writer *w);
enum vd_status alert_budget_load(struct alert_budget *b, struct vd_reader *r,
                                 struct vd_error *err);

#endif

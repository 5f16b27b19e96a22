/* The agent's policy network (Williams, Machine Learning 8, 1992) and its training. */
#ifndef VD_AGENT_POLICY_H
#define VD_AGENT_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/rng.h"
#include "vedette/status.h"

enum { POLICY_HIDDEN = 3, POLICY_WIDTH = 64 };

/* Weights as scoring uses them, with batch normalisation folded in. Each hidden layer is
 * relu(W' x + b); the last layer has no relu and gives the log-odds of alerting. The
 * arrays belong to the agent's block. */
struct vd__policy {
    size_t d;
    float *weight[POLICY_HIDDEN + 1]; /* [in][out], in row-major order */
    float *bias[POLICY_HIDDEN + 1];
};

/* Returns the width of layer 0 .. 4: d, 64, 64, 32, 1. */
size_t vd__policy_width(size_t d, size_t layer);

/* Counts the numbers of all weights and biases together. */
size_t vd__policy_count(size_t d);

/* Points the arrays into `numbers`, which has room for vd__policy_count(d). */
void vd__policy_init(struct vd__policy *p, size_t d, float *numbers);

/* Computes the log-odds of alerting for one scaled row x (d). */
double vd__policy_log_odds(const struct vd__policy *p, const float *x);

/* The reward of each action, and the weight of rows of each class. */
struct vd__rewards {
    double hit, miss, false_alarm, silence;
    double weight[2]; /* of rows labelled 0 and 1 */
};

/* The rows and settings of one training; borrowed. */
struct vd__policy_fit {
    const float *x; /* n x d, scaled */
    const uint8_t *labels;
    size_t n;
    struct vd__rewards rewards;
    double learning_rate, dropout, decay, entropy;
    size_t updates, patience;
    uint64_t seed;
};

/* Trains p, whose arrays exist, from scratch. The seed decides the result. VD_ERR_MEMORY.
 */
enum vd_status vd__policy_train(struct vd__policy *p, const struct vd__policy_fit *fit);

/* Takes a step of plain gradient for each of n rows (d floats each, scaled), without
 * normalisation or dropout. `rate` is the step for a slope of 1. */
void vd__policy_step(struct vd__policy *p, const float *const *x, const uint8_t *labels,
                     size_t n, const struct vd__rewards *rewards, double rate);

/* Computes the slope of the expected reward by the log-odds z for a row with that label:
 * the policy gradient summed over both actions (Ciosek and Whiteson, AAAI 2018), which
 * has no sampling noise, plus `entropy` times the slope of the entropy. */
double vd__policy_slope(const struct vd__rewards *rewards, uint8_t label, double z,
                        double entropy);

/* Computes the expected reward at the log-odds z for a row with that label. */
double vd__policy_expected_reward(const struct vd__rewards *rewards, uint8_t label,
                                  double z);

#endif

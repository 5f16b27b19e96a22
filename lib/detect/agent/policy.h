/* The agent's policy network and its training. */
#ifndef VD_AGENT_POLICY_H
#define VD_AGENT_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/rng.h"
#include "vedette/status.h"

enum { POLICY_HIDDEN = 3, POLICY_WIDTH = 64 };

/* Weights as scoring uses them, batch normalisation folded in: out = relu(W' x + b), and
 * at last the log-odds of alerting. */
struct vd__policy {
    size_t d;
    float *weight[POLICY_HIDDEN + 1]; /* [in][out], in row-major order */
    float *bias[POLICY_HIDDEN + 1];
};

/* Sizes of the layers: d, 64, 64, 32, 1. */
size_t vd__policy_width(size_t d, size_t layer);

/* Numbers in all weights and biases together. */
size_t vd__policy_count(size_t d);

/* Points the arrays into `numbers`. */
void vd__policy_init(struct vd__policy *p, size_t d, float *numbers);

/* Log-odds of alerting for one scaled row. */
double vd__policy_log_odds(const struct vd__policy *p, const float *x);

/* What an action is worth, times the weight of the row's class. */
struct vd__rewards {
    double hit, miss, false_alarm, silence;
    double weight[2]; /* of rows labelled 0 and 1 */
};

struct vd__policy_fit {
    const float *x; /* n x d, scaled */
    const uint8_t *labels;
    size_t n;
    struct vd__rewards rewards;
    double learning_rate, dropout, decay, entropy;
    size_t updates, patience;
    uint64_t seed;
};

/* Trains into p, whose arrays exist. */
enum vd_status vd__policy_train(struct vd__policy *p, const struct vd__policy_fit *fit);

/* One step of plain gradient on `n` rows without normalisation or dropout. */
void vd__policy_step(struct vd__policy *p, const float *const *x, const uint8_t *labels,
                     size_t n, const struct vd__rewards *rewards, double rate);

/* Slope of the expected reward by the log-odds z, for a row with that label: the policy
 * gradient summed over both actions (Ciosek and Whiteson, AAAI 2018), which has no
 * sampling noise; plus that of the entropy. */
double vd__policy_slope(const struct vd__rewards *rewards, uint8_t label, double z,
                        double entropy);

double vd__policy_expected_reward(const struct vd__rewards *rewards, uint8_t label,
                                  double z);

#endif

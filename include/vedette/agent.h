/* The agent that learns from rewards: feedback after the fit.
 *
 * The detector "agent" is a policy: for a row it chooses to alert or to stay silent. Its
 * raw score is the log-odds of alerting. It is trained on labelled rows by policy
 * gradient (Williams, "Simple statistical gradient-following algorithms for connectionist
 * reinforcement learning", Machine Learning 8, 1992), and feedback on its alerts trains
 * it further.
 */
#ifndef VD_AGENT_H
#define VD_AGENT_H

#include "vedette/detector.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Learns that `row` (one number for each column, as it was measured) was an anomaly or
 * not: a few steps of gradient on this row together with remembered ones, which keep it
 * from forgetting.
 *
 * Changes the agent in place: no other thread may use it meanwhile. To go on scoring,
 * train a copy (vd_agent_copy) and exchange the two. The same feedback in the same order
 * gives the same agent. Allocates nothing.
 *
 * VD_ERR_ARGUMENT when the detector is no agent, VD_ERR_DATA when the row has NaN or
 * infinity; then nothing is learned. */
enum vd_status vd_agent_learn(vd_detector *agent, const double *row, bool anomaly);

/* Copies an agent; the caller frees the copy with vd_detector_free. NULL when there is no
 * memory or the detector is no agent. */
vd_detector *vd_agent_copy(const vd_detector *agent);

#ifdef __cplusplus
}
#endif

#endif

/* The agent that learns from rewards: feedback after the fit.
 *
 * The detector "agent" is a policy: for a row it chooses to alert or to stay silent. Its
 * raw score is the log-odds of alerting. It is trained on labelled rows by policy
 * gradient and goes on learning from what people say about its alerts.
 */
#ifndef VD_AGENT_H
#define VD_AGENT_H

#include "vedette/detector.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Learns that `row` was an anomaly or not: a few steps of gradient on this row together
 * with remembered ones, which keep it from forgetting. Changes the agent in place: no
 * other thread may use it meanwhile (vd_agent_copy makes one to change). Deterministic.
 * VD_ERR_ARGUMENT when the detector is no agent, VD_ERR_DATA for NaN or infinity. */
enum vd_status vd_agent_learn(vd_detector *agent, const double *row, bool anomaly);

/* A copy; NULL when there is no memory or the detector is no agent. */
vd_detector *vd_agent_copy(const vd_detector *agent);

#ifdef __cplusplus
}
#endif

#endif

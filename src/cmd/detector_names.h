/* The words of --detector, for the commands that have it. */
#ifndef VD_CMD_DETECTOR_NAMES_H
#define VD_CMD_DETECTOR_NAMES_H

/* The names in the detectors' table (vedette/detector.h), in its order: an option row's
 * `choices` are text of the program, so they cannot be asked for. test_options compares
 * the two. */
#define CMD_DETECTOR_NAMES                                                               \
    "isolation_forest|one_class_svm|lof|pca|mahalanobis|random_forest|xgboost|agent|"    \
    "ensemble"

#endif

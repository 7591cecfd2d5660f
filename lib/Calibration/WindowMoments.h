// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Second moments of what a layer reads, and of what it should make of it.
#ifndef CIM_LIB_CALIBRATION_WINDOWMOMENTS_H
#define CIM_LIB_CALIBRATION_WINDOWMOMENTS_H

#include "ErrorMetric.h"
#include "WindowSample.h"
#include "cim-c/hal.h"
#include "llvm/ADT/ArrayRef.h"
#include <vector>

namespace cim {

/// What the float network makes of some windows of the first `samples` samples.
struct LayerTargets {
  int64_t samples = 0, channels = 0;
  WindowSample sample{1, 1, 1};
  /// samples x sample.perSample x channels.
  std::vector<float> values;

  const float *at(int64_t sampleNumber, int64_t index) const {
    return values.data() + (sampleNumber * sample.perSample + index) * channels;
  }
};

/// Moments of group `group` of `layer` over the windows of `targets` that are
/// among the images of `stream`. The layer's inputs are integers times
/// `inputScale`; `weights` are those of the group. What a part of the rows
/// should make of a channel is what it makes of it with these weights, and its
/// share of what all of them together miss of the target.
LayerMoments sumMoments(const cim_layer &layer, const cim_stream &stream,
                        int64_t group, double inputScale,
                        const LayerTargets &targets,
                        const Eigen::MatrixXd &weights);

/// Mean square of what every row of the matrix reads, over all windows of the
/// images of `input`, which are those of the layer one behind the other.
std::vector<double> meanInputPowers(const cim_layer &layer,
                                    llvm::ArrayRef<char> input);

/// How a channel's sums and its targets vary together, channel by channel.
class ChannelCorrelation {
public:
  /// Adds the windows of `targets` that are among the images of `stream`;
  /// `sums` are of all windows of these images.
  void add(const cim_layer &layer, const cim_stream &stream, const float *sums,
           const LayerTargets &targets);

  /// Correlation coefficients, 0 where something never varies.
  std::vector<double> compute() const;

  /// Sum over the channels: variance of the targets that sums follow.
  double getExplained() const;

private:
  double count = 0;
  Eigen::ArrayXd sum, square, targetSum, targetSquare, product;
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_WINDOWMOMENTS_H

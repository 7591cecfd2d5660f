// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A device (include/cim-c/hal.h) inside the compiler that decides, while a
// network streams through it, what the layers of the network should have been.
#ifndef CIM_LIB_CALIBRATION_CALIBRATINGDEVICE_H
#define CIM_LIB_CALIBRATION_CALIBRATINGDEVICE_H

#include "GainSearch.h"
#include "OpenMatrix.h"
#include "WindowMoments.h"
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace cim {

class ChannelStatistics;

/// The cells that layers share.
struct MatrixCalibration {
  /// How many layers use it.
  int64_t uses = 0;
  std::optional<OpenMatrix> open;
  /// ADC gain of every plane; empty until it is decided.
  std::vector<float> gains;
  /// Of every plane, what all layers saw while `NetworkCalibration::isTrial`.
  std::vector<PlaneSums> planes;

  /// Chooses the gains that fit what all layers saw.
  void decideGains(const GainChoice &choice);
};

/// One layer before and after calibration. Vectors are per output channel.
struct LayerCalibration {
  /// Number of its matrix.
  size_t matrix = 0;
  /// Of y = S * scale + bias; calibration changes them.
  std::vector<double> scale, bias;
  /// What y should have; empty when scale and bias are right already.
  std::vector<double> mean, deviation;
  /// What counts of y are the probabilities softmax(y) of the channels.
  bool makesLogits = false;
  /// Statistics of S so far.
  std::shared_ptr<ChannelStatistics> sums;

  /// For a layer with an open matrix: what integers of its input stand for,
  /// what y is divided by, and what the float network makes of some windows.
  double inputScale = 1, outputScale = 1;
  std::shared_ptr<const LayerTargets> targets;
  ChannelCorrelation correlation;

  /// Changes scale and bias so that mean and deviation of y become what they
  /// should be, given those of S.
  void correct();
};

struct NetworkCalibration {
  /// By the number of the layer.
  std::vector<LayerCalibration> layers;
  std::vector<MatrixCalibration> matrices;
  GainChoice gains;
  /// Every layer runs with gains of its own, as a first look at matrices that
  /// several layers share.
  bool isTrial = false;
  /// One call brings all samples: a layer is corrected before its result goes
  /// on. Otherwise corrections wait until the caller calls `correct`.
  bool sequential = true;
  /// Called before a layer's integers are chosen.
  std::function<void()> progress;
};

/// A table of functions for one session. `calibration` must be set before the
/// session is created and live until it ends; one session at a time per thread.
const cim_device_api *getCalibratingDevice(NetworkCalibration &calibration);

} // namespace cim

#endif // CIM_LIB_CALIBRATION_CALIBRATINGDEVICE_H

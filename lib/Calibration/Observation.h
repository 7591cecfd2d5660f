// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What calibration gathers from one value of the float network.
#ifndef CIM_LIB_CALIBRATION_OBSERVATION_H
#define CIM_LIB_CALIBRATION_OBSERVATION_H

#include "Statistics.h"
#include "WindowCovariance.h"
#include <memory>
#include <optional>

namespace cim {

/// What is wanted of a value; any of it may be.
struct Wanted {
  /// Number of values, when its range is.
  std::optional<int64_t> range;
  /// Channels and elements between neighbours, when their statistics are.
  std::optional<std::pair<int64_t, int64_t>> channels;
  /// One per layer that reads the value and wants to know how windows of it
  /// vary.
  struct Windows {
    WindowGeometry geometry;
    bool channelsFirst;
  };
  std::vector<Windows> windows;
};

/// What was seen of a value in a part of the samples.
class Observation {
public:
  /// `samples` is the number of samples of all parts together.
  Observation(const Wanted &wanted, int64_t samples, uint64_t seed);

  void add(llvm::ArrayRef<float> values);
  /// Adds what another part saw, which came later in the data.
  void merge(Observation &later);

  const ValueStatistics &values() const { return *range; }
  const ChannelStatistics &statistics() const { return *channels; }
  WindowCovariance &covariance(size_t index) { return *covariances[index]; }

private:
  std::unique_ptr<ValueStatistics> range;
  std::unique_ptr<ChannelStatistics> channels;
  std::vector<std::unique_ptr<WindowCovariance>> covariances;
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_OBSERVATION_H

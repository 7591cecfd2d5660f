// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What calibration gathers from the values of the float network.
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
  /// vary: how it reads, and the number of its matrix.
  struct Windows {
    WindowGeometry geometry;
    bool channelsFirst;
    size_t matrix;
  };
  std::vector<Windows> windows;
};

/// The windows of all layers with one matrix.
struct WantedCovariance {
  int64_t groups, rows;
  int64_t uses = 0;
};

/// What was seen of a value in a part of the samples.
class Observation {
public:
  explicit Observation(const Wanted &wanted);

  void add(llvm::ArrayRef<float> values);
  void merge(const Observation &later);

  const ValueStatistics &values() const { return *range; }
  const ChannelStatistics &statistics() const { return *channels; }

private:
  std::unique_ptr<ValueStatistics> range;
  std::unique_ptr<ChannelStatistics> channels;
};

/// What one part of the samples showed: values by their numbers, and matrices
/// by theirs.
class Record {
public:
  /// `wanted` must live as long as the record. `samples` is the number of
  /// samples of all parts together; `seed` differs for each part.
  Record(llvm::ArrayRef<Wanted> wanted,
         llvm::ArrayRef<WantedCovariance> matrices, int64_t samples,
         uint64_t seed);

  void add(size_t value, llvm::ArrayRef<float> data);
  /// Adds what another part saw, which came later in the data.
  void merge(Record &later);

  const Observation &value(size_t number) const { return values[number]; }
  WindowCovariance &covariance(size_t matrix) { return covariances[matrix]; }

private:
  llvm::ArrayRef<Wanted> wanted;
  std::vector<Observation> values;
  std::vector<WindowCovariance> covariances;
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_OBSERVATION_H

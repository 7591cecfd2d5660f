// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What calibration gathers from the values of the float network.
#ifndef CIM_LIB_CALIBRATION_OBSERVATION_H
#define CIM_LIB_CALIBRATION_OBSERVATION_H

#include "FloatRun.h"
#include "Statistics.h"
#include <optional>

namespace cim {

/// What is wanted of a value; any of it may be.
struct Wanted {
  /// Number of values, when its range is.
  std::optional<int64_t> range;
  /// Channels and elements between neighbours, when their statistics are.
  std::optional<std::pair<int64_t, int64_t>> channels;
};

/// What was seen of a value in a part of the samples.
class Observation {
public:
  explicit Observation(const Wanted &wanted);

  void add(llvm::ArrayRef<float> values);
  void merge(const Observation &later);

  bool isFinite() const;
  const ValueStatistics &values() const { return *range; }
  const ChannelStatistics &statistics() const { return *channels; }

private:
  std::optional<ValueStatistics> range;
  std::optional<ChannelStatistics> channels;
};

/// What one part of the samples showed of every value.
class Record {
public:
  explicit Record(llvm::ArrayRef<Wanted> wanted)
      : values(wanted.begin(), wanted.end()) {}

  void add(size_t value, llvm::ArrayRef<float> data) {
    values[value].add(data);
  }
  /// Adds what another part saw, which came later in the data.
  void merge(const Record &later);

  const Observation &value(size_t number) const { return values[number]; }

private:
  std::vector<Observation> values;
};

/// Runs the network and gathers what is `wanted` of `values`.
llvm::FailureOr<Record> observe(FloatRun &run, const Arch &arch,
                                llvm::ArrayRef<mlir::Value> values,
                                llvm::ArrayRef<Wanted> wanted);

} // namespace cim

#endif // CIM_LIB_CALIBRATION_OBSERVATION_H

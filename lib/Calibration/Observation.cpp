// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What calibration gathers from the values of the float network.
#include "Observation.h"
#include "llvm/ADT/STLExtras.h"

namespace cim {

Observation::Observation(const Wanted &wanted) {
  if (wanted.range)
    range = std::make_unique<ValueStatistics>(*wanted.range);
  if (wanted.channels)
    channels = std::make_unique<ChannelStatistics>(wanted.channels->first,
                                                   wanted.channels->second);
}

void Observation::add(llvm::ArrayRef<float> values) {
  if (range)
    range->add(values);
  if (channels)
    channels->add(values);
}

void Observation::merge(const Observation &later) {
  if (range)
    range->merge(*later.range);
  if (channels)
    channels->merge(*later.channels);
}

Record::Record(llvm::ArrayRef<Wanted> wanted,
               llvm::ArrayRef<WantedCovariance> matrices, int64_t samples,
               uint64_t seed)
    : wanted(wanted) {
  for (const Wanted &value : wanted)
    values.emplace_back(value);
  for (const WantedCovariance &matrix : matrices)
    covariances.emplace_back(matrix.groups, matrix.rows, samples * matrix.uses,
                             seed);
}

void Record::add(size_t value, llvm::ArrayRef<float> data) {
  values[value].add(data);
  for (const Wanted::Windows &windows : wanted[value].windows)
    covariances[windows.matrix].add(data, windows.geometry,
                                    windows.channelsFirst);
}

void Record::merge(Record &later) {
  for (auto [mine, other] : llvm::zip_equal(values, later.values))
    mine.merge(other);
  for (auto [mine, other] : llvm::zip_equal(covariances, later.covariances))
    mine.merge(other);
}

} // namespace cim

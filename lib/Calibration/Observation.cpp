// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What calibration gathers from one value of the float network.
#include "Observation.h"
#include "llvm/ADT/STLExtras.h"

namespace cim {

Observation::Observation(const Wanted &wanted, int64_t samples, uint64_t seed) {
  if (wanted.range)
    range = std::make_unique<ValueStatistics>(*wanted.range);
  if (wanted.channels)
    channels = std::make_unique<ChannelStatistics>(wanted.channels->first,
                                                   wanted.channels->second);
  for (const Wanted::Windows &windows : wanted.windows)
    covariances.push_back(std::make_unique<WindowCovariance>(
        windows.geometry, windows.channelsFirst, samples, seed));
}

void Observation::add(llvm::ArrayRef<float> values) {
  if (range)
    range->add(values);
  if (channels)
    channels->add(values);
  for (auto &covariance : covariances)
    covariance->add(values);
}

void Observation::merge(Observation &later) {
  if (range)
    range->merge(*later.range);
  if (channels)
    channels->merge(*later.channels);
  for (auto [mine, other] : llvm::zip_equal(covariances, later.covariances))
    mine->merge(*other);
}

} // namespace cim

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What calibration gathers from the values of the float network.
#include "Observation.h"
#include "llvm/ADT/STLExtras.h"

namespace cim {

Observation::Observation(const Wanted &wanted) {
  if (wanted.range)
    range.emplace(*wanted.range);
  if (wanted.channels)
    channels.emplace(wanted.channels->first, wanted.channels->second);
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

void Record::merge(const Record &later) {
  for (auto [mine, other] : llvm::zip_equal(values, later.values))
    mine.merge(other);
}

} // namespace cim

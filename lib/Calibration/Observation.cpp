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

bool Observation::isFinite() const {
  return (!range || range->isFinite()) && (!channels || channels->isFinite());
}

void Record::merge(const Record &later) {
  for (auto [mine, other] : llvm::zip_equal(values, later.values))
    mine.merge(other);
}

llvm::FailureOr<Record> observe(FloatRun &run, const Arch &arch,
                                llvm::ArrayRef<mlir::Value> values,
                                llvm::ArrayRef<Wanted> wanted) {
  // How many there are must not depend on the machine: sums are rounded.
  constexpr int64_t parts = 4;
  std::vector<Record> records(parts, Record(wanted));
  auto add = [&](size_t part, uint32_t value, llvm::ArrayRef<float> data) {
    records[part].add(value, data);
  };
  if (failed(run.run(arch, values, parts, add)))
    return llvm::failure();
  for (Record &later : llvm::drop_begin(records))
    records.front().merge(later);
  return std::move(records.front());
}

} // namespace cim

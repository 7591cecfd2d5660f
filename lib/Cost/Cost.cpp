// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The component model of analog arrays.

#include "cim/Cost/Cost.h"
#include <cmath>

using namespace cim;

static double cellsOf(const Arch &arch) {
  return double(arch.arrayRows()) * double(arch.arrayColumns());
}

std::optional<double> cost::mvmEnergy(const Arch &arch, double rows,
                                      double columns, double cells,
                                      std::optional<double> supply) {
  if (!arch.energy() || (supply && !arch.supply()))
    return std::nullopt;
  const Arch::Energy &e = *arch.energy();
  double joules = rows * e.dac.value + columns * e.adc.value +
                  cells * e.activity.value * (e.gate.value + e.line.value) +
                  e.control.value;
  if (supply)
    joules *= std::pow(*supply / arch.supply()->nominal.value,
                       arch.supply()->exponent.value);
  return joules;
}

cost::Cost cost::totalCost(const Arch &arch, llvm::ArrayRef<Work> work,
                           std::optional<double> supply) {
  Cost sum;
  if (mvmEnergy(arch, 0, 0, 0, supply))
    sum.joules = 0;
  for (const Work &item : work) {
    sum.seconds += item.mvms * arch.mvmTime().value;
    if (sum.joules)
      *sum.joules += item.mvms * *mvmEnergy(arch, item.rows, item.columns,
                                            item.cells, supply);
  }
  return sum;
}

std::optional<cost::Cost> cost::rowWriteCost(const Arch &arch, double rows) {
  if (!arch.rowWriteTime())
    return std::nullopt;
  Cost result;
  result.seconds = rows * arch.rowWriteTime()->value;
  if (arch.energy() && arch.energy()->rowWrite)
    result.joules = rows * arch.energy()->rowWrite->value;
  return result;
}

double cost::peakThroughput(const Arch &arch) {
  return arch.isHost() ? 0 : 2 * cellsOf(arch) / arch.mvmTime().value;
}

std::optional<double> cost::peakEfficiency(const Arch &arch,
                                           std::optional<double> supply) {
  auto joules = mvmEnergy(arch, double(arch.arrayRows()),
                          double(arch.arrayColumns()), cellsOf(arch), supply);
  if (!joules || *joules <= 0)
    return std::nullopt;
  return 2 * cellsOf(arch) / *joules;
}

std::optional<double> cost::arrayArea(const Arch &arch) {
  if (!arch.area())
    return std::nullopt;
  const Arch::Area &a = *arch.area();
  return cellsOf(arch) * a.cell.value + double(arch.arrayRows()) * a.dac.value +
         double(arch.arrayColumns()) * a.adc.value + a.control.value;
}

std::optional<double> cost::modelValue(const Arch &arch,
                                       const Arch::Anchor &anchor) {
  switch (anchor.metric) {
  case Arch::Metric::Throughput:
    return peakThroughput(arch);
  case Arch::Metric::ThroughputDensity:
    if (auto area = arrayArea(arch))
      return peakThroughput(arch) / *area;
    return std::nullopt;
  case Arch::Metric::Efficiency:
    return peakEfficiency(arch, anchor.supply);
  case Arch::Metric::CellDensity:
    if (arch.area())
      return 1 / arch.area()->cell.value;
    return std::nullopt;
  }
  return std::nullopt;
}

bool cost::reproduces(const Arch &arch, const Arch::Anchor &anchor) {
  auto value = modelValue(arch, anchor);
  return value &&
         std::abs(*value - anchor.value) <= anchor.tolerance * anchor.value;
}

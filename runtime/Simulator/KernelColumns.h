// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Part of KernelTemplate.h: wires, lines and converters that are not ideal, one
// vector of columns at a time; the same bits as Scalar.cpp and Columns.cpp.

#include "Simulator/Functions.h" // its constants

namespace {

/// Codes of converters with thresholds, of vector v of the tile's columns.
inline F codesOf(const ThresholdStage &stage, int v, F x) {
  F last = Vec::set(float(stage.count));
  F sure = Vec::add(x, Vec::set(stage.start));
  sure = Vec::min(Vec::max(sure, Vec::set(0)), last); // a NaN becomes 0
  sure = Vec::sub(Vec::round(sure, true), Vec::set(float(stage.below)));
  // The search stays within the table.
  F most = Vec::set(float(stage.count + 1 - (1u << stage.steps)));
  sure = Vec::min(Vec::max(sure, Vec::set(0)), most);
  I first = Vec::load(stage.first + v * width);
  I at = Vec::addInt(first, Vec::toInt(sure));
  for (uint32_t step = 1u << stage.steps >> 1; step; step >>= 1) {
    F threshold = Vec::gather(stage.tables + step - 1, at);
    at = Vec::addWhereReached(at, x, threshold, int32_t(step));
  }
  F reached = Vec::toFloat(Vec::subInt(at, first));
  return Vec::sub(reached, Vec::set(float(stage.count + 1) * 0.5f));
}

/// The fitted model of IR drop.
inline F loseToWires(const LayerConstants &c, F wire, I load, I drop, F a) {
  F l = Vec::mul(wire, Vec::mul(Vec::toFloat(load), Vec::set(c.loadUnit)));
  F slope = Vec::sub(Vec::mul(l, Vec::set(0.05f)), Vec::set(0.2f));
  F share = Vec::mul(l, Vec::add(Vec::mul(slope, l), Vec::set(0.5f)));
  share = Vec::min(Vec::max(share, Vec::set(0)), Vec::set(1));
  F lost = Vec::mul(Vec::toFloat(drop), Vec::set(c.dropUnit));
  return Vec::sub(a, Vec::mul(share, lost));
}

/// What exp2Of() does (Functions.h).
inline F exp2Of(F y) {
  y = Vec::min(Vec::max(y, Vec::set(-126)), Vec::set(126));
  F whole = Vec::round(y, false), r = Vec::sub(y, whole);
  F sum = Vec::set(exp2Terms[0]);
  for (int i = 1; i < exp2Degree; ++i)
    sum = Vec::add(Vec::mul(sum, r), Vec::set(exp2Terms[i]));
  sum = Vec::add(Vec::mul(sum, r), Vec::set(1));
  return Vec::mul(sum, Vec::powerOfTwo(Vec::toInt(whole)));
}

inline F compress(const ColumnStage &stage, int v, F z) {
  F full = Vec::load(stage.fullScale + v * width);
  F u = Vec::mul(Vec::load(stage.compression + v * width),
                 Vec::div(Vec::abs(z), full));
  if (!stage.exponential)
    return Vec::div(z, Vec::add(Vec::set(1), u));
  F decay = exp2Of(Vec::mul(Vec::sub(Vec::set(0), u), Vec::set(inverseLn2)));
  F bent = Vec::mul(z, Vec::div(Vec::sub(Vec::set(1), decay), u));
  return Vec::whereReached(u, Vec::set(0x1p-12f), bent, z);
}

/// What ColumnTables::bend() does, to vector v of the tile's columns.
inline F bendLine(const ColumnStage &stage, int v, F x) {
  if (stage.attenuation)
    x = Vec::mul(x, Vec::load(stage.attenuation + v * width));
  if (stage.compression)
    x = compress(stage, v, x);
  if (!stage.limit)
    return x;
  F limit = Vec::load(stage.limit + v * width);
  return Vec::min(Vec::max(x, Vec::sub(Vec::set(0), limit)), limit);
}

} // namespace

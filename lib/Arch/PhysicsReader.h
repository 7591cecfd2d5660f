// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The sections of a target description that only a device asks about
// (docs/Targets.md, docs/Physics.md), as members of its "device" object. Keys
// that the file does not have are left out.
#ifndef CIM_LIB_ARCH_PHYSICSREADER_H
#define CIM_LIB_ARCH_PHYSICSREADER_H

#include "Section.h"
#include "llvm/Support/JSON.h"

namespace cim {

/// What places and levels of cells there are.
struct ArrayBounds {
  int64_t rows, columns, count, cellLo, cellHi;
};

/// The section "cells" of `root`.
llvm::json::Object readCells(const Section &root, const ArrayBounds &bounds);

/// What "input" says about pulses and slices.
llvm::json::Object readPulses(const Section &input);

/// The section "lines" of `root`.
llvm::json::Object readLines(const Section &root);

/// What "adc" says about real converters of `bits` bits.
llvm::json::Object readConverter(const Section &adc, int64_t bits);

} // namespace cim

#endif // CIM_LIB_ARCH_PHYSICSREADER_H

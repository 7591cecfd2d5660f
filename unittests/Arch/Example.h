// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A small target description that every test edits.
#ifndef CIM_UNITTESTS_ARCH_EXAMPLE_H
#define CIM_UNITTESTS_ARCH_EXAMPLE_H

#include "cim/Arch/Arch.h"
#include <gtest/gtest.h>

// The line numbers on the left are what the tests expect.
inline constexpr char kExample[] =
    /* 1 */ "name: tiny\n"
            /* 2 */ "description: a small chip\n"
            /* 3 */ "kind: crossbar\n"
            /* 4 */ "array:\n"
            /* 5 */ "  rows: 64\n"
            /* 6 */ "  columns: 32\n"
            /* 7 */ "  count: 4\n"
            /* 8 */ "  cell_levels: [-1, 1]\n"
            /* 9 */ "  max_cells_per_weight: 8\n"
            /* 10 */ "  source: test\n"
            /* 11 */ "input:\n"
            /* 12 */ "  bits: 7\n"
            /* 13 */ "  signs: both\n"
            /* 14 */ "  encoding: pulse-width\n"
            /* 15 */ "  source: test\n"
            /* 16 */ "adc:\n"
            /* 17 */ "  bits: 6\n"
            /* 18 */ "  rounding: nearest-even\n"
            /* 19 */ "  range: symmetric\n"
            /* 20 */ "  source: test\n"
            /* 21 */ "timing:\n"
            /* 22 */ "  mvm: { value: 50 ns, source: t }\n"
            /* 23 */ "  digital_clock: { value: 1 GHz, source: t }\n"
            /* 24 */ "noise:\n"
            /* 25 */ "  adc_offset: { value: 0.5 lsb, source: t }\n";

/// `text` with the first `from` replaced; `from` must occur.
inline std::string edited(std::string text, llvm::StringRef from,
                          llvm::StringRef to) {
  size_t at = text.find(from.str());
  EXPECT_NE(at, std::string::npos) << from.str();
  return at == std::string::npos ? text
                                 : text.replace(at, from.size(), to.str());
}

inline llvm::Expected<cim::Arch> parseText(llvm::StringRef text) {
  return cim::Arch::parse(llvm::MemoryBufferRef(text, "t.yaml"));
}

#endif // CIM_UNITTESTS_ARCH_EXAMPLE_H

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The report as one self-contained page.
#ifndef CIM_LIB_TARGET_REPORTHTML_H
#define CIM_LIB_TARGET_REPORTHTML_H

#include "ProgramSummary.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace cim::report {

/// Inline style and pictures, no scripts, nothing loaded.
void writeHtml(llvm::raw_ostream &os, const Program &program, const Arch &arch,
               const std::optional<llvm::json::Object> &precision);

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

/// `text` for element content and quoted attributes: escaped, valid UTF-8, no
/// control characters.
std::string escaped(llvm::StringRef text);

/// Three significant digits and an SI prefix: 1.31 uJ, 442 k; counts below
/// 100000 whole.
std::string si(double value, llvm::StringRef unit = "");

/// "93.1 %".
std::string percent(double share);

/// The colour of a layer, and of one of its planes.
std::string colour(size_t layer, int64_t plane = 0);

/// A picture of every array with the blocks on it.
void writeFloorplans(llvm::raw_ostream &os, const Program &program,
                     const Arch &arch);

/// Bars that show how the layers share MVMs, energy and cells.
void writeShares(llvm::raw_ostream &os, const Program &program);

} // namespace cim::report

#endif // CIM_LIB_TARGET_REPORTHTML_H

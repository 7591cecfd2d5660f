// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Says on a terminal how far long work is.
#ifndef CIM_LIB_CALIBRATION_PROGRESS_H
#define CIM_LIB_CALIBRATION_PROGRESS_H

#include "llvm/Support/raw_ostream.h"

namespace cim {

class Progress {
public:
  /// Shows "`what` 1 of `total`" and so on.
  Progress(llvm::StringRef what, size_t total)
      : what(what), total(total), isShown(llvm::errs().is_displayed()) {}
  ~Progress() {
    if (isShown && done > 0)
      llvm::errs() << "\r\033[K";
  }

  void step() {
    ++done;
    if (isShown)
      llvm::errs() << "\r" << what << " " << done << " of " << total;
  }

private:
  llvm::StringRef what;
  size_t total, done = 0;
  bool isShown;
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_PROGRESS_H

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How the runtime reports failures: a status code, and one line of text that
// is kept per thread. Nothing in the runtime lets an exception out.
#ifndef CIM_RUNTIME_SUPPORT_ERROR_H
#define CIM_RUNTIME_SUPPORT_ERROR_H

#include "cim-c/status.h"

#include <exception>
#include <new>
#include <string>

namespace cim::rt {

/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string format(const char *pattern, ...);

/// Remembers `text` as the calling thread's last failure and returns `status`.
cim_status fail(cim_status status, const std::string &text);
[[gnu::format(printf, 2, 3)]] cim_status fail(cim_status status,
                                              const char *pattern, ...);

/// Text of the calling thread's last failure; empty when there was none.
const std::string &lastError();

/// Runs `fn`, which returns a cim_status, and turns what it throws (memory
/// that ran out, threads that could not be made) into a status.
template <typename Fn> cim_status guarded(Fn &&fn) noexcept {
  try {
    return fn();
  } catch (const std::bad_alloc &) {
    return fail(CIM_OUT_OF_RESOURCES, "out of memory");
  } catch (const std::exception &e) {
    return fail(CIM_OUT_OF_RESOURCES, "%s", e.what());
  }
}

} // namespace cim::rt

#endif // CIM_RUNTIME_SUPPORT_ERROR_H

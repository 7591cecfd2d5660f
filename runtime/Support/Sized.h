// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Structs of hal.h that another release may have made: smaller or larger than
// ours ("Releases" there).
#ifndef CIM_RUNTIME_SUPPORT_SIZED_H
#define CIM_RUNTIME_SUPPORT_SIZED_H

#include "Support/Error.h"

#include <algorithm>
#include <cstring>

namespace cim::rt {

/// Copies a struct that its maker believes to be `from->size` bytes long;
/// `least` is its size in the first release. `what` names it in messages.
template <typename T>
cim_status readSized(const char *what, const T *from, size_t least, T &to) {
  if (!from)
    return fail(CIM_INVALID_ARGUMENT, "%s is null", what);
  uint32_t size = from->size;
  if (size < least)
    return fail(CIM_INVALID_ARGUMENT,
                "%s has %u bytes, expected at least %zu: is size set?", what,
                size, least);
  auto *bytes = reinterpret_cast<const unsigned char *>(from);
  for (uint32_t i = sizeof(T); i < size; ++i)
    if (bytes[i] != 0)
      return fail(CIM_UNSUPPORTED,
                  "%s has %u bytes and sets one that this release, with %zu "
                  "bytes, does not know",
                  what, size, sizeof(T));
  to = T();
  memcpy(&to, from, std::min<size_t>(size, sizeof(T)));
  to.size = sizeof(T);
  return CIM_OK;
}

/// The other way round: fills the caller's struct as far as both know it.
template <typename T>
cim_status writeSized(const char *what, T from, size_t least, T *to) {
  if (!to)
    return fail(CIM_INVALID_ARGUMENT, "%s is null", what);
  if (to->size < least)
    return fail(CIM_INVALID_ARGUMENT,
                "%s has %u bytes, expected at least %zu: is size set?", what,
                to->size, least);
  from.size = to->size;
  memcpy(to, &from, std::min<size_t>(to->size, sizeof(T)));
  return CIM_OK;
}

} // namespace cim::rt

#endif // CIM_RUNTIME_SUPPORT_SIZED_H

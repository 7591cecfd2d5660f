// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The per-thread text of the last failure.

#include "Support/Error.h"

#include <cstdarg>
#include <cstdio>

static std::string formatList(const char *pattern, va_list arguments) {
  va_list copy;
  va_copy(copy, arguments);
  int length = vsnprintf(nullptr, 0, pattern, copy);
  va_end(copy);
  if (length < 0)
    return pattern;
  std::string text(length, '\0');
  vsnprintf(text.data(), text.size() + 1, pattern, arguments);
  return text;
}

static std::string &slot() {
  static thread_local std::string text;
  return text;
}

std::string cim::rt::format(const char *pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  std::string text = formatList(pattern, arguments);
  va_end(arguments);
  return text;
}

cim_status cim::rt::fail(cim_status status, const std::string &text) {
  slot() = text;
  return status;
}

cim_status cim::rt::fail(cim_status status, const char *pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  slot() = formatList(pattern, arguments);
  va_end(arguments);
  return status;
}

const std::string &cim::rt::lastError() { return slot(); }

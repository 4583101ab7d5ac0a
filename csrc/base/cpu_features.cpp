// Asks the processor, and for the wide registers also the operating system (__builtin_cpu_supports reads XCR0).
#include "base/cpu_features.h"

#include <algorithm>
#include <cstdlib>

#include "base/status.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace ranvier {
namespace {

#if defined(__x86_64__)
// Features that the compiler may use at a level but that __builtin_cpu_supports does not know in every
// compiler we accept. They need no support from the operating system.
bool cpuid_ecx(unsigned leaf, unsigned bits) {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(leaf, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bits) == bits;
}

bool processor_has(const std::string& isa) {
  constexpr unsigned kCmpxchg16b = 1u << 13, kMovbe = 1u << 22, kF16c = 1u << 29;  // leaf 1
  constexpr unsigned kLahf = 1u << 0, kLzcnt = 1u << 5;                             // leaf 0x80000001
  __builtin_cpu_init();
  const bool v2 = __builtin_cpu_supports("sse3") && __builtin_cpu_supports("ssse3") &&
                  __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sse4.2") &&
                  __builtin_cpu_supports("popcnt") && cpuid_ecx(1, kCmpxchg16b) && cpuid_ecx(0x80000001u, kLahf);
  if (isa == "baseline") return v2;
  const bool v3 = v2 && __builtin_cpu_supports("avx") && __builtin_cpu_supports("avx2") &&
                  __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                  cpuid_ecx(1, kMovbe | kF16c) && cpuid_ecx(0x80000001u, kLzcnt);
  if (isa == "avx2") return v3;
  return isa == "avx512" && v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
bool processor_has_bf16_dot() {
  constexpr unsigned kAvx512Bf16 = 1u << 5;  // leaf 7, subleaf 1
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return processor_has("avx512") && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 &&
         (eax & kAvx512Bf16) != 0;
}
#else
bool processor_has(const std::string& isa) { return isa == "baseline"; }
bool processor_has_bf16_dot() { return false; }
#endif

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string choose() {
  const std::vector<std::string> supported = supported_isas();
  if (supported.empty()) {
    fail(ErrorKind::kRuntime, "this processor lacks the x86-64-v2 instructions (SSE4.2, POPCNT) that ranvier needs");
  }
  const char* wanted = std::getenv("RANVIER_ISA");
  if (wanted == nullptr || *wanted == '\0') return supported.back();
  if (std::find(supported.begin(), supported.end(), wanted) != supported.end()) return wanted;
  const std::vector<std::string> compiled = compiled_isas();
  const bool known = std::find(compiled.begin(), compiled.end(), wanted) != compiled.end();
  fail(ErrorKind::kValue, "RANVIER_ISA='", wanted, "' is ",
       known ? "not supported by this processor" : "not an instruction set of this build", "; available: ",
       join(supported));
}

}  // namespace

std::vector<std::string> compiled_isas() {
  std::vector<std::string> isas;
#ifdef RANVIER_HAVE_ISA_baseline
  isas.emplace_back("baseline");
#endif
#ifdef RANVIER_HAVE_ISA_avx2
  isas.emplace_back("avx2");
#endif
#ifdef RANVIER_HAVE_ISA_avx512
  isas.emplace_back("avx512");
#endif
  return isas;
}

std::vector<std::string> supported_isas() {
  std::vector<std::string> isas = compiled_isas();
  std::erase_if(isas, [](const std::string& isa) { return !processor_has(isa); });
  return isas;
}

const std::string& chosen_isa() {
  static const std::string isa = choose();
  return isa;
}

bool has_bf16_dot() {
  static const bool has = processor_has_bf16_dot();
  return has;
}

}  // namespace ranvier

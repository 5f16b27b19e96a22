# Warnings and hardening, for every target.
add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wpointer-arith -Wformat=2 -Wvla -Wundef -fstack-protector-strong)
if(CMAKE_BUILD_TYPE MATCHES "Rel")
    add_compile_definitions(_FORTIFY_SOURCE=2)
endif()
add_link_options(-Wl,-z,relro,-z,now)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

set(VD_SANITIZE "" CACHE STRING "sanitizers: address,undefined or thread")
if(VD_SANITIZE)
    add_compile_options(-fsanitize=${VD_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${VD_SANITIZE})
endif()

# Coverage of the code under test, for the fuzz targets: clang with
# -DVD_FUZZ=ON -DVD_SANITIZE=address,undefined.
option(VD_FUZZ "link the fuzz targets with libFuzzer (clang)" OFF)
if(VD_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

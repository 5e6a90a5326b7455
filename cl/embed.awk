# SPDX-License-Identifier: MIT
# Turns OpenCL C files into one C table of names and texts: cl_text.c.
# Each text opens with a #line, so that a driver's build log names the true
# file.  One string literal a line: no compiler's limit is met.
#
# usage: awk -f embed.awk FILE... >cl_text.c

function quoted(s)
{
    gsub(/\\/, "\\\\&", s)
    gsub(/"/, "\\\"", s)
    gsub(/\t/, "\\t", s)
    return "\"" s "\\n\""
}

BEGIN {
    print "/* made by cl/embed.awk */"
    print "#include \"rt/program.h\"\n"
    print "const struct anser_cl_text anser_cl_text[] = {"
}

FNR == 1 {
    if (NR > 1)
        print "    },"
    name = FILENAME
    sub(/^.*\//, "", name)
    printf "    { \"%s\",\n      %s\n", name, quoted("#line 1 \"" name "\"")
}

{ print "      " quoted($0) }

END { print (NR ? "    },\n" : "") "    { 0, 0 }\n};" }

# SPDX-License-Identifier: GPL-2.0
#
# awk -v run=quick|full [-v groups=some] [-v json=FILE -v head=TEXT] [-v data=DIR]
#	-f report.awk rows MEASURES
#
# With -v instructions=yes, values in ns are numbers of instructions. With -v groups=some only
# some rows were measured, so a missing row is no error.
#
# Prints a Markdown table with medians, ratios, and whether each goal is met. The exit status
# is 1 if a goal is missed by more than the error, if a goal with a known value is missed by
# more than that value, or if a row was not measured. head has members for the JSON object.
# data is a directory for the files of the plots.
#
# The value after ± of a figure is its median absolute deviation (MAD). A ratio is the median of
# the module divided by the median of the peer. Its error is 3 * 1.858 * MAD / sqrt(n), where
# MAD is that of the n ratios of the runs k of the module and the runs k of the peer. So a load
# that slows both runs does not increase the error.

function sort(a, n,    i, j, t)
{
	for (i = 2; i <= n; i++) {
		t = a[i]
		for (j = i - 1; j >= 1 && a[j] > t; j--)
			a[j + 1] = a[j]
		a[j + 1] = t
	}
}

function median(a, n)
{
	sort(a, n)
	return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}

# Sets med and mad for the words of text.
function summarize(text,    a, d, n, i)
{
	n = split(text, a, " ")
	med = median(a, n)
	for (i = 1; i <= n; i++)
		d[i] = a[i] > med ? a[i] - med : med - a[i]
	mad = median(d, n)
	return n
}

function error3(mad, n)
{
	return 3 * 1.858 * mad / sqrt(n)
}

function show(value, unit)
{
	if (unit == "ns" && instructions != "")
		return value < 1e6 ? sprintf("%.1f k", value / 1e3) : sprintf("%.2f M", value / 1e6)
	if (unit != "ns")
		return sprintf("%.2f", value)
	if (value < 1e6)
		return sprintf("%.1f µs", value / 1e3)
	return sprintf("%.2f ms", value / 1e6)
}

FNR == 1 { file++ }
file == 1 && !/^#/ && NF {
	nr_rows++
	split($0, f, "\t")
	name[nr_rows] = f[1]; title[f[1]] = f[2]; against[f[1]] = f[3]; unit[f[1]] = f[4]
	goal[f[1]] = f[5]; known[f[1]] = f[instructions == "" ? 6 : 7]; runs[f[1]] = f[8]
}
file == 2 && $1 == "sample" { samples[$2, $3] = samples[$2, $3] " " $4 }
file == 2 && $1 == "growth" {
	if (!(($2, $3) in points)) {
		order[++nr_points] = $2 SUBSEP $3
	}
	points[$2, $3] = points[$2, $3] " " $4
}
file == 2 && $1 == "fact" { if (!($2 in facts)) fact_order[++nr_facts] = $2; facts[$2] = $4 }

function judge(r, value, error)
{
	if (goal[r] == "-")
		return "reported"
	if (value <= goal[r])
		return "met"
	if (known[r] != "-")
		return value - error > known[r] ? "WORSE than the " known[r] " known" : "not met yet"
	return value - error > goal[r] ? "NOT MET" : "not shown, within the spread"
}

END {
	print "| | row | ours | peer | ratio | goal | |"
	print "| --- | --- | --- | --- | --- | --- | --- |"
	rows = ""
	for (i = 1; i <= nr_rows; i++) {
		r = name[i]
		if (!((r, "ours") in samples)) {
			if (groups != "some" && (run == "full" || runs[r] == "quick")) {
				print "bench: " r " was not measured" >"/dev/stderr"
				status = 1
			}
			continue
		}
		n = summarize(samples[r, "ours"])
		om = med; od = mad
		line = sprintf("{\"row\": \"%s\", \"unit\": \"%s\", \"n\": %d, \"ours\": {\"median\": %.3f, \"mad\": %.3f}",
			       r, unit[r] == "ns" && instructions != "" ? "instructions" : unit[r], n, om, od)
		if (against[r] == "-") {
			value = om; error = error3(od, n)
			peer_text = "-"; ratio_text = "-"
			limit = goal[r] == "-" ? "-" : "≤ " goal[r] " " unit[r]
		} else {
			if (summarize(samples[r, "peer"]) != n) {
				print "bench: " r ": the numbers of runs differ" >"/dev/stderr"
				status = 1
				continue
			}
			pm = med; pd = mad
			split(samples[r, "ours"], a, " ")
			split(samples[r, "peer"], b, " ")
			text = ""
			for (k = 1; k <= n; k++)
				text = text " " a[k] / b[k]
			summarize(text)
			value = om / pm; error = error3(mad, n)
			peer_text = sprintf("%s: %s ± %s", against[r], show(pm, unit[r]), show(pd, unit[r]))
			ratio_text = sprintf("%.3f ± %.3f", value, error)
			limit = goal[r] == "-" ? "-" : "≤ " goal[r]
			line = line sprintf(", \"peer\": {\"median\": %.3f, \"mad\": %.3f}, \"ratio\": %.4f", pm, pd, value)
		}
		verdict = judge(r, value, error)
		if (verdict ~ /^[A-Z]/)
			status = 1
		printf "| %s | %s | %s ± %s | %s | %s | %s | %s |\n", r, title[r],
			show(om, unit[r]), show(od, unit[r]), peer_text, ratio_text, limit, verdict
		line = line sprintf(", \"spread\": %.4f, \"goal\": %s, \"known\": %s, \"verdict\": \"%s\"}",
			error, goal[r] == "-" ? "null" : goal[r], known[r] == "-" ? "null" : known[r], verdict)
		rows = rows (rows == "" ? "" : ",\n    ") line
	}
	growth = ""
	for (i = 1; i <= nr_points; i++) {
		split(order[i], f, SUBSEP)
		n = summarize(points[order[i]])
		if (data != "")
			print f[2], med, mad >(data "/" f[1])
		growth = growth (growth == "" ? "" : ",\n    ") \
			sprintf("{\"plot\": \"%s\", \"x\": %s, \"n\": %d, \"median\": %.3f, \"mad\": %.3f}",
				f[1], f[2], n, med, mad)
	}
	fact_text = ""
	for (i = 1; i <= nr_facts; i++) {
		r = fact_order[i]
		fact_text = fact_text (fact_text == "" ? "" : ", ") sprintf("\"%s\": %s", r, facts[r])
	}
	if (json != "")
		printf "{\n  %s,\n  \"rows\": [\n    %s\n  ],\n  \"growth\": [\n    %s\n  ],\n  \"facts\": {%s}\n}\n",
			head, rows, growth, fact_text >json
	exit status
}

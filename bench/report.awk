# SPDX-License-Identifier: GPL-2.0
#
# awk -v run=quick|full [-v groups=some] [-v instructions=yes] [-v json=FILE -v head=TEXT]
#	[-v data=DIR] -f report.awk rows MEASURES
#
# Reports the measures of bench/run. The file rows has the rows of the benchmark and their
# goals. MEASURES has the lines that the program in the guest prints. This script prints a
# Markdown table. Each row has the median of the module and of the peer, their ratio, and
# whether the goal is met.
#
# The exit status is 1 if a row misses its goal by more than the error. A row with a known
# value may miss its goal, but it may not be worse than the known value by more than the
# error. The exit status is also 1 if a row was not measured, or if the module and the peer
# have different numbers of runs.
#
# groups=some		only some rows were measured, so a missing row is no error
# instructions=yes	values in ns are numbers of instructions
# json=FILE head=TEXT	writes the results to FILE; TEXT has the first members of the object
# data=DIR		writes one file for each curve of the plots to DIR
#
# The value after ± of a figure is its median absolute deviation (MAD). A ratio is the median
# of the module divided by the median of the peer. The value after ± of a ratio is its error.
# Run k of the module is divided by run k of the peer, which gives n ratios. The error is
# 3 * 1.858 * MAD of these ratios / sqrt(n). So a load that slows both runs does not increase
# the error. For normally distributed values, 1.858 * MAD / sqrt(n) is the standard error of
# the median.

function sort(numbers, nr,    i, j, moved)
{
	for (i = 2; i <= nr; i++) {
		moved = numbers[i]
		for (j = i - 1; j >= 1 && numbers[j] > moved; j--)
			numbers[j + 1] = numbers[j]
		numbers[j + 1] = moved
	}
}

function median(numbers, nr)
{
	sort(numbers, nr)
	return nr % 2 ? numbers[(nr + 1) / 2] : (numbers[nr / 2] + numbers[nr / 2 + 1]) / 2
}

# Sets center to the median of the numbers in text, and spread to their MAD. Returns how many
# they are.
function summarize(text,    numbers, distances, nr, i)
{
	nr = split(text, numbers, " ")
	center = median(numbers, nr)
	for (i = 1; i <= nr; i++)
		distances[i] = numbers[i] > center ? numbers[i] - center : center - numbers[i]
	spread = median(distances, nr)
	return nr
}

# The error of a median of nr numbers with this MAD: three standard errors.
function error_of_median(mad, nr)
{
	return 3 * 1.858 * mad / sqrt(nr)
}

function with_unit(value, unit)
{
	if (unit == "ns" && instructions != "")
		return value < 1e6 ? sprintf("%.1f k", value / 1e3) : sprintf("%.2f M", value / 1e6)
	if (unit != "ns")
		return sprintf("%.2f", value)
	if (value < 1e6)
		return sprintf("%.1f µs", value / 1e3)
	return sprintf("%.2f ms", value / 1e6)
}

# Returns a list of JSON elements with one more element.
function append(list, element, separator)
{
	return list (list == "" ? "" : separator) element
}

function null_or(text)
{
	return text == "-" ? "null" : text
}

FNR == 1 { file++ }
file == 1 && !/^#/ && NF {
	split($0, field, "\t")
	row_names[++nr_rows] = field[1]
	title[field[1]] = field[2]; peer[field[1]] = field[3]; unit[field[1]] = field[4]
	goal[field[1]] = field[5]; known[field[1]] = field[instructions == "" ? 6 : 7]
	runs[field[1]] = field[8]
}
# $2 is the row. $3 tells the module from the peer. $4 is the value of one run.
file == 2 && $1 == "sample" { samples[$2, $3] = samples[$2, $3] " " $4 }
# $2 is the curve, $3 is the x of the point, $4 is the y of one run.
file == 2 && $1 == "growth" {
	if (!(($2, $3) in points))
		point_names[++nr_points] = $2 SUBSEP $3
	points[$2, $3] = points[$2, $3] " " $4
}
file == 2 && $1 == "fact" {
	if (!($2 in facts))
		fact_names[++nr_facts] = $2
	facts[$2] = $4
}

# The verdict about a row. It begins with a capital letter if the run fails because of it.
function judge(row, value, error)
{
	if (goal[row] == "-")
		return "reported"
	if (value <= goal[row])
		return "met"
	if (known[row] != "-")
		return value - error > known[row] ? "WORSE than the " known[row] " known" : "not met yet"
	return value - error > goal[row] ? "NOT MET" : "not shown, within the spread"
}

# Prints one row of the table, and adds its object to json_rows.
function report_row(row,    nr, value, error, verdict, element, median_ours, mad_ours,
		    median_peer, mad_peer, peer_text, ratio_text, goal_text, ours, theirs,
		    ratios, i)
{
	nr = summarize(samples[row, "ours"])
	median_ours = center; mad_ours = spread
	element = sprintf("{\"row\": \"%s\", \"unit\": \"%s\", \"n\": %d, \"ours\": {\"median\": %.3f, \"mad\": %.3f}",
		       row, unit[row] == "ns" && instructions != "" ? "instructions" : unit[row], nr,
		       median_ours, mad_ours)
	if (peer[row] == "-") {
		value = median_ours; error = error_of_median(mad_ours, nr)
		peer_text = "-"; ratio_text = "-"
		goal_text = goal[row] == "-" ? "-" : "≤ " goal[row] " " unit[row]
	} else {
		if (summarize(samples[row, "peer"]) != nr) {
			print "bench: " row ": the numbers of runs differ" >"/dev/stderr"
			status = 1
			return
		}
		median_peer = center; mad_peer = spread
		split(samples[row, "ours"], ours, " ")
		split(samples[row, "peer"], theirs, " ")
		ratios = ""
		for (i = 1; i <= nr; i++)
			ratios = ratios " " ours[i] / theirs[i]
		summarize(ratios)
		value = median_ours / median_peer; error = error_of_median(spread, nr)
		peer_text = sprintf("%s: %s ± %s", peer[row], with_unit(median_peer, unit[row]),
				    with_unit(mad_peer, unit[row]))
		ratio_text = sprintf("%.3f ± %.3f", value, error)
		goal_text = goal[row] == "-" ? "-" : "≤ " goal[row]
		element = element sprintf(", \"peer\": {\"median\": %.3f, \"mad\": %.3f}, \"ratio\": %.4f",
				    median_peer, mad_peer, value)
	}
	verdict = judge(row, value, error)
	if (verdict ~ /^[A-Z]/)
		status = 1
	printf "| %s | %s | %s ± %s | %s | %s | %s | %s |\n", row, title[row],
		with_unit(median_ours, unit[row]), with_unit(mad_ours, unit[row]), peer_text,
		ratio_text, goal_text, verdict
	element = element sprintf(", \"spread\": %.4f, \"goal\": %s, \"known\": %s, \"verdict\": \"%s\"}",
			    error, null_or(goal[row]), null_or(known[row]), verdict)
	json_rows = append(json_rows, element, ",\n    ")
}

END {
	print "| | row | ours | peer | ratio | goal | |"
	print "| --- | --- | --- | --- | --- | --- | --- |"
	for (i = 1; i <= nr_rows; i++) {
		row = row_names[i]
		if ((row, "ours") in samples) {
			report_row(row)
		} else if (groups != "some" && (run == "full" || runs[row] == "quick")) {
			print "bench: " row " was not measured" >"/dev/stderr"
			status = 1
		}
	}
	for (i = 1; i <= nr_points; i++) {
		split(point_names[i], curve_and_x, SUBSEP)
		nr = summarize(points[point_names[i]])
		if (data != "")
			print curve_and_x[2], center, spread >(data "/" curve_and_x[1])
		json_points = append(json_points,
			sprintf("{\"plot\": \"%s\", \"x\": %s, \"n\": %d, \"median\": %.3f, \"mad\": %.3f}",
				curve_and_x[1], curve_and_x[2], nr, center, spread), ",\n    ")
	}
	for (i = 1; i <= nr_facts; i++)
		json_facts = append(json_facts,
			sprintf("\"%s\": %s", fact_names[i], facts[fact_names[i]]), ", ")
	if (json != "")
		printf "{\n  %s,\n  \"rows\": [\n    %s\n  ],\n  \"growth\": [\n    %s\n  ],\n  \"facts\": {%s}\n}\n",
			head, json_rows, json_points, json_facts >json
	exit status
}

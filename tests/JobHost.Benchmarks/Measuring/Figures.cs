using System.Globalization;
using System.Text.Json;

namespace JobHost.Benchmarks.Measuring;

/// <summary>One line of a table.</summary>
internal sealed record Row(string Name, int Count, double P50, double P99)
{
    internal static Row Of(string name, IEnumerable<double> taken)
    {
        var sorted = taken.Order().ToList();
        return new(name, sorted.Count, At(50), At(99));

        double At(int percent) => sorted[Math.Max(0, (int)Math.Ceiling(sorted.Count * percent / 100.0) - 1)];
    }
}

/// <summary>What was measured under one condition.</summary>
/// <param name="Title">The scenario and the condition.</param>
/// <param name="Floors">
/// What the machine itself needs. Each row is compared with the median of each: the first is the least that anybody could do.
/// </param>
/// <param name="Rows">What is compared.</param>
/// <param name="Rival">The row that others are to be faster than, or null.</param>
internal sealed record Figures(string Title, IReadOnlyList<Row> Floors, IReadOnlyList<Row> Rows, Row? Rival)
{
    /// <summary>What is measured: milliseconds, unless it says otherwise.</summary>
    public string Unit { get; init; } = "ms";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private IEnumerable<Row> All => [.. Floors, .. Rows, .. Rival is null ? Array.Empty<Row>() : [Rival]];

    internal void Write(TextWriter writer)
    {
        var floors = string.Concat(Floors.Select((_, index) => $"{$"/floor{index + 1}", 10}"));
        writer.WriteLine();
        writer.WriteLine(Title);
        writer.WriteLine(
            $"  {"", -66}{"n", 5}{$"p50 {Unit}", 10}{$"p99 {Unit}", 10}{floors}{(Rival is null ? "" : "  faster")}"
        );
        foreach (var row in All)
        {
            var number = Floors.ToList().IndexOf(row);
            var name = number < 0 ? row.Name : $"floor{number + 1}: {row.Name}";
            writer.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {name, -66}{row.Count, 5}{row.P50, 10:0.00}{row.P99, 10:0.00}{Ratios(row)}{Faster(row)}"
                )
            );
        }
        if (Rival is not null)
        {
            writer.WriteLine($"  faster: how many times faster than '{Rival.Name}', by the medians");
        }
    }

    internal static async Task WriteJsonAsync(string file, IEnumerable<Figures> all) =>
        await File.WriteAllTextAsync(
            file,
            JsonSerializer.Serialize(
                all.Select(figures => new
                {
                    figures.Title,
                    figures.Unit,
                    floors = figures.Floors,
                    rows = figures.Rows.Select(row => new
                    {
                        row.Name,
                        row.Count,
                        row.P50,
                        row.P99,
                        toFloors = figures.Floors.Select(floor => row.P50 / floor.P50),
                        timesFasterThanRival = figures.Rival?.P50 / row.P50,
                    }),
                    figures.Rival,
                }),
                Json
            )
        );

    private string Ratios(Row row) =>
        string.Concat(
            Floors.Select(floor => string.Create(CultureInfo.InvariantCulture, $"{row.P50 / floor.P50, 10:0.0}"))
        );

    private string Faster(Row row) =>
        Rival is null || !Rows.Contains(row)
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"{Rival.P50 / row.P50, 8:0.0}");
}

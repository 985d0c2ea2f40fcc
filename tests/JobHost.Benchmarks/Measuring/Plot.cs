using System.Globalization;
using System.Security;
using System.Text;

namespace JobHost.Benchmarks.Measuring;

/// <summary>Figures as a picture: each row a bar as long as it is a multiple of the first floor, each further mark ten times it.</summary>
internal static class Plot
{
    private const int NameWidth = 460;
    private const int Decade = 150;
    private const int LineHeight = 22;
    private const int BarHeight = 14;
    private const int Margin = 16;

    // Bars begin at a tenth of the floor: little is faster than that.
    private const int FirstDecade = -1;

    internal static async Task WriteAsync(string file, IReadOnlyList<Figures> all)
    {
        var most = all.SelectMany(figures => figures.Rows.Select(row => RatioOf(figures, row))).Max();
        var decades = Math.Max(1, (int)Math.Ceiling(Math.Log10(most))) - FirstDecade;
        var width = NameWidth + (decades * Decade) + (2 * Margin) + 140;
        var height = (2 * Margin) + all.Sum(figures => LineHeight * (figures.Rows.Count + 3));
        var svg = new StringBuilder();
        Add(
            svg,
            $"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="13">"""
        );
        Add(svg, $"""<rect width="{width}" height="{height}" fill="white"/>""");
        var y = Margin;
        foreach (var figures in all)
        {
            y = AddFigures(svg, figures, y, decades);
        }
        svg.AppendLine("</svg>");
        await File.WriteAllTextAsync(file, svg.ToString());
    }

    private static int AddFigures(StringBuilder svg, Figures figures, int y, int decades)
    {
        var floor = figures.Floors[0];
        AddText(svg, Margin, y + BarHeight, figures.Title, "font-weight=\"bold\"");
        AddText(
            svg,
            Margin,
            y + LineHeight + BarHeight,
            $"1 = {floor.Name}: {Number(floor.P50)} {figures.Unit}",
            "fill=\"#555\""
        );
        y += 2 * LineHeight;
        for (var decade = 0; decade <= decades; decade++)
        {
            var x = Left + (decade * Decade);
            var color = decade + FirstDecade == 0 ? "#000" : "#ccc";
            Add(
                svg,
                $"""<line x1="{x}" y1="{y}" x2="{x}" y2="{y + (LineHeight * figures.Rows.Count)}" stroke="{color}"/>"""
            );
        }
        foreach (var row in figures.Rows)
        {
            var ratio = RatioOf(figures, row);
            var length = Math.Max(2, (Math.Log10(ratio) - FirstDecade) * Decade);
            AddText(svg, Margin, y + BarHeight, row.Name, "");
            Add(svg, $"""<rect x="{Left}" y="{y + 3}" width="{length:0}" height="{BarHeight}" fill="#4a7ebb"/>""");
            AddText(
                svg,
                Left + (int)length + 6,
                y + BarHeight,
                $"{Number(ratio)} ({Number(row.P50)} {figures.Unit})",
                ""
            );
            y += LineHeight;
        }
        return y + LineHeight;
    }

    private static int Left => Margin + NameWidth;

    private static double RatioOf(Figures figures, Row row) => row.P50 / figures.Floors[0].P50;

    private static string Number(double value) =>
        value.ToString(
            value < 10 ? "0.##"
                : value < 100 ? "0.#"
                : "#,0",
            CultureInfo.InvariantCulture
        );

    private static void AddText(StringBuilder svg, int x, int y, string text, string attributes) =>
        Add(svg, $"""<text x="{x}" y="{y}" {attributes}>{SecurityElement.Escape(text)}</text>""");

    private static void Add(StringBuilder svg, FormattableString line) =>
        svg.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}

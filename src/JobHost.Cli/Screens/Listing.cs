using Spectre.Console;
using Spectre.Console.Rendering;

namespace JobHost.Cli.Screens;

/// <summary>A text and how it looks.</summary>
internal readonly record struct Cell(string Text, Style? Style = null)
{
    public static implicit operator Cell(string? text) => new(text ?? "");
}

/// <summary>Rows below headings, without lines. Where there is too little room, the widest columns are cut, and ids never.</summary>
internal sealed class Listing(params string[] headings)
{
    private const int Gap = 2;

    // Of an id.
    private const int MinWidth = 8;

    private readonly List<Cell[]> rows = [];

    internal int Count => rows.Count;

    internal void Add(params Cell[] cells) =>
        rows.Add([.. cells.Select(cell => cell with { Text = Words.Clean(cell.Text) })]);

    /// <summary>The table for a screen of a width.</summary>
    internal IRenderable ToTable(Screen screen, int width)
    {
        var widths = Fit(width);
        var table = new Table().Border(TableBorder.None);
        foreach (var (heading, columnWidth) in headings.Zip(widths))
        {
            var isLast = heading == headings[^1];
            table.AddColumn(
                new TableColumn(
                    new Text(
                        Printable.Cut(heading, columnWidth),
                        screen.IsRich ? new Style(decoration: Decoration.Bold) : null
                    )
                )
                    .NoWrap()
                    .Width(columnWidth)
                    .PadLeft(0)
                    .PadRight(isLast ? 0 : Gap)
            );
        }
        foreach (var row in rows)
        {
            table.AddRow(row.Zip(widths, (cell, room) => new Text(Printable.Cut(cell.Text, room), cell.Style)));
        }
        return table;
    }

    /// <summary>The widths that the columns want, the widest made narrower until all fit.</summary>
    private int[] Fit(int width)
    {
        var widths = headings
            .Select(
                (heading, column) => rows.Select(row => Printable.Width(row[column].Text)).Append(heading.Length).Max()
            )
            .ToArray();
        var room = width - (Gap * (headings.Length - 1));
        while (widths.Sum() > room && widths.Max() is > MinWidth and var widest)
        {
            widths[Array.LastIndexOf(widths, widest)]--;
        }
        return widths;
    }
}

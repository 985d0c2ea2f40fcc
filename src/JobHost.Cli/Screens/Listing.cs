using Spectre.Console;
using Spectre.Console.Rendering;

namespace JobHost.Cli.Screens;

/// <summary>A text and how it looks.</summary>
internal readonly record struct Cell(string Text, Style? Style = null)
{
    public static implicit operator Cell(string? text) => new(text ?? "");
}

/// <summary>Rows below headings, without lines. The last column gets the room that the others leave, and is cut to it.</summary>
internal sealed class Listing(params string[] headings)
{
    private const int Gap = 2;
    private const int MinLast = 8;

    private readonly List<Cell[]> rows = [];

    internal int Count => rows.Count;

    internal void Add(params Cell[] cells) =>
        rows.Add([.. cells.Select(cell => cell with { Text = Words.Clean(cell.Text) })]);

    /// <summary>The table for a screen of a width.</summary>
    internal IRenderable ToTable(Screen screen, int width)
    {
        var taken = Enumerable
            .Range(0, headings.Length - 1)
            .Sum(column => Gap + rows.Select(row => row[column].Text.Length).Append(headings[column].Length).Max());
        var room = Math.Max(MinLast, width - taken);
        var table = new Table().Border(TableBorder.None);
        foreach (var heading in headings)
        {
            var isLast = heading == headings[^1];
            table.AddColumn(
                new TableColumn(new Text(heading, screen.IsRich ? new Style(decoration: Decoration.Bold) : null))
                    .NoWrap()
                    .PadLeft(0)
                    .PadRight(isLast ? 0 : Gap)
            );
        }
        foreach (var row in rows)
        {
            table.AddRow(
                row.Select(
                    (cell, column) =>
                        new Text(column == row.Length - 1 ? Words.Cut(cell.Text, room) : cell.Text, cell.Style)
                )
            );
        }
        return table;
    }
}

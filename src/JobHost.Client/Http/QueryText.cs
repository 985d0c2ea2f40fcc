using System.Globalization;
using System.Text;

namespace JobHost.Client.Http;

/// <summary>A path with its query, written piece by piece; what is null is left out.</summary>
internal sealed class QueryText(string path)
{
    private readonly StringBuilder text = new(path);
    private char separator = '?';

    internal QueryText Add(string name, string? value)
    {
        if (value is not null)
        {
            text.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }
        return this;
    }

    internal QueryText Add(string name, long? value) => Add(name, value?.ToString(CultureInfo.InvariantCulture));

    internal QueryText Add(string name, DateTimeOffset? value) =>
        Add(name, value?.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture));

    internal QueryText AddEach(string name, IEnumerable<string> values)
    {
        foreach (var value in values)
        {
            Add(name, value);
        }
        return this;
    }

    public override string ToString() => text.ToString();
}

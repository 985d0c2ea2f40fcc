using System.Text;

namespace JobHost.Jobs;

/// <summary>One template entry: texts and parameter names by turns, beginning with a text.</summary>
internal sealed class CommandArgument
{
    private readonly List<string> texts = [];
    private readonly List<string> names = [];

    internal IReadOnlyList<string> Names => names;

    /// <summary>The parameter whose value the argument begins with, if any: empty values before it do not count.</summary>
    internal string? FirstIn(Dictionary<string, string?> values)
    {
        for (var i = 0; i < names.Count && texts[i].Length == 0; i++)
        {
            if (values.GetValueOrDefault(names[i]) is { Length: > 0 })
            {
                return names[i];
            }
        }
        return null;
    }

    internal static CommandArgument Parse(string template, Func<string, JobConfigurationException> wrong)
    {
        var argument = new CommandArgument();
        var text = new StringBuilder();
        for (var i = 0; i < template.Length; i++)
        {
            var character = template[i];
            if (character is not ('{' or '}'))
            {
                text.Append(character);
            }
            else if (i + 1 < template.Length && template[i + 1] == character)
            {
                text.Append(character);
                i++;
            }
            else
            {
                var end = character == '{' ? template.IndexOf('}', i) : -1;
                if (end <= i + 1)
                {
                    throw wrong(
                        $"'{template}' has a single '{character}'. Write '{character}{character}' for a brace, '{{name}}' for a parameter."
                    );
                }
                argument.texts.Add(text.ToString());
                argument.names.Add(template[(i + 1)..end]);
                text.Clear();
                i = end;
            }
        }
        argument.texts.Add(text.ToString());
        return argument;
    }

    internal string? Fill(Dictionary<string, string?> values)
    {
        var filled = new StringBuilder(texts[0]);
        for (var i = 0; i < names.Count; i++)
        {
            if (values[names[i]] is not { } value)
            {
                return null;
            }
            filled.Append(value).Append(texts[i + 1]);
        }
        return filled.ToString();
    }
}

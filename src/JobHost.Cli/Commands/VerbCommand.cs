using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace JobHost.Cli.Commands;

/// <summary>A verb with an example of its use, which its help ends with.</summary>
internal sealed class VerbCommand(string name, string description, string example) : Command(name, description)
{
    internal string Example => example;
}

/// <summary>The help of a verb, and its example.</summary>
internal sealed class HelpWithExample(HelpAction help) : SynchronousCommandLineAction
{
    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        var code = help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is VerbCommand { Example: var example })
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Example:");
            foreach (var line in example.Split('\n'))
            {
                output.WriteLine($"  {line}");
            }
            output.WriteLine();
        }
        return code;
    }
}

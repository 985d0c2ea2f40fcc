using System.CommandLine;
using System.Text.RegularExpressions;
using JobHost.Cli;
using JobHost.Cli.Commands;

namespace JobHost.Server.Tests;

/// <summary>The help of the verbs tells all, and what it says works.</summary>
public sealed class CliHelpTests
{
    private static readonly Command Root = JobHostCli.Root([
        new("audit verify", "Verifies.", "", _ => Task.FromResult(0)),
    ]);

    public static TheoryData<string> Verbs => [.. All(Root, "").Select(verb => verb.Name)];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Every_verb_describes_itself_and_what_it_takes(string name)
    {
        var command = Find(name);

        Assert.EndsWith(".", command.Description, StringComparison.Ordinal);
        Assert.All(
            command.Arguments,
            argument => Assert.False(string.IsNullOrEmpty(argument.Description), argument.Name)
        );
        Assert.All(command.Options, option => Assert.False(string.IsNullOrEmpty(option.Description), option.Name));
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void The_examples_of_every_verb_are_right_usage(string name)
    {
        if (name == "audit verify")
        {
            // What follows it is read by the program itself.
            return;
        }
        var example = Assert.IsType<VerbCommand>(Find(name)).Example;

        foreach (var line in example.Split('\n'))
        {
            var usage = Regex.Match(line, "jobhost ([^|)]*)");
            Assert.True(usage.Success, line);
            var words = Regex.Matches(usage.Groups[1].Value, "'[^']*'|[^ ]+").Select(word => word.Value.Trim('\''));
            var parsed = Root.Parse([.. words]);
            Assert.Empty(parsed.Errors);
            Assert.StartsWith(name.Split(' ')[0], usage.Groups[1].Value, StringComparison.Ordinal);
        }
    }

    private static Command Find(string name) => All(Root, "").First(verb => verb.Name == name).Command;

    private static IEnumerable<(string Name, Command Command)> All(Command parent, string prefix) =>
        parent
            .Subcommands.Where(command => !command.Hidden)
            .SelectMany(command =>
                All(command, $"{prefix}{command.Name} ").Prepend((Name: $"{prefix}{command.Name}", Command: command))
            );
}

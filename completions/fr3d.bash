_fr3d_completion() {
    local IFS=$'
'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" \
                   COMP_CWORD=$COMP_CWORD \
                   _FR3D_COMPLETE=complete_bash $1 ) )
    return 0
}

complete -o default -F _fr3d_completion fr3d
